import { effect } from '@preact/signals';
import { render } from 'preact';

import { App } from './app.tsx';
import { startClock } from './state/clock.ts';
import { listen } from './state/live.ts';
import { startNavigation } from './state/navigation.ts';
import { mayRead, startSession } from './state/session.ts';
import { startTheme } from './state/theme.ts';

startTheme();
startNavigation();
startClock();
startSession();
effect(() => listen(mayRead.value));

const page = document.getElementById('page');
if (page) render(<App />, page);
