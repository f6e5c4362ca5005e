// What the page uses of ECharts, and nothing else.

import { CustomChart } from 'echarts/charts';
import { GridComponent } from 'echarts/components';
import { init, use, type ComposeOption, type EChartsType } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import type { CustomSeriesOption } from 'echarts/charts';
import type { GridComponentOption } from 'echarts/components';

use([CustomChart, GridComponent, CanvasRenderer]);

export { init };
export type Instance = EChartsType;
export type SeriesOption = CustomSeriesOption;
export type Option = ComposeOption<CustomSeriesOption | GridComponentOption>;
