// What the page uses of ECharts, and nothing else.

import { CustomChart, type CustomSeriesOption } from 'echarts/charts';
import { GridComponent } from 'echarts/components';
import { init, use, type EChartsType } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';

use([CustomChart, GridComponent, CanvasRenderer]);

export { init };
export type Instance = EChartsType;
export type SeriesOption = CustomSeriesOption;
