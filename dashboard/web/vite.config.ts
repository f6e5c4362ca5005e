import { defineConfig } from 'vite';

import { mockApi } from './dev/mock/plugin.ts';

// `npm run dev` shows a netqoe that runs; with NETQOE_MOCK=1 (or =2000x200) made-up answers instead.
const mock = process.env['NETQOE_MOCK'];
const api = process.env['NETQOE_API'] ?? 'http://127.0.0.1:8081';

export default defineConfig({
  plugins: mock ? [mockApi(mock)] : [],
  server: mock ? {} : { proxy: { '/api': api } },
  build: {
    target: 'es2022',
    // The Content-Security-Policy allows files of this origin and nothing else: no inline preload script, no data: files.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 900,
  },
});
