// Names that want to be more than text, and that nothing of them has become more.

import type { Page } from '@playwright/test';

import { expect } from './test.ts';

export const NAMES = [
  '<img src=x onerror="globalThis.ran=1;alert(1)">',
  '"><script>globalThis.ran=1</script><b id="planted">',
  `'\`--{{7*7}}\${globalThis.ran=1}</title></style></textarea>`,
  'javascript:globalThis.ran=1',
  '&lt;i&gt;&amp;#60;',
  'line\nbreak\r\ttab\u0007bell\u001b[31mred\u007f\u0085',
  'admin\u202Egnp.exe\u202C\u2066isolated\u2069\u200F\u061C',
  'zero\u200Bwidth\u200D\uFEFF\u00AD',
  '👩🏽‍💻🏳️‍🌈 e\u0301 ﷽ 漢字 עברית',
  '漢'.repeat(85),
  'x'.repeat(255),
  '../../api/v1/events?x=1#y%00',
  ' ',
];

/** What turns other text around, can't be seen, or moves a terminal's cursor; all but what lies between blocks of the page's own text. */
const UNSEEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;

export async function nothingRan(page: Page): Promise<void> {
  const found = await page.evaluate(() => {
    const elements = Array.from(document.querySelectorAll('*'));
    return {
      ran: 'ran' in globalThis,
      planted: document.querySelectorAll('#planted, main script, main img, main iframe, main style').length,
      handlers: elements.filter((element) => Array.from(element.attributes).some(({ name }) => name.startsWith('on')))
        .length,
      links: Array.from(document.links, (link) => link.protocol).filter((protocol) => protocol !== 'http:'),
      texts: [
        document.title,
        document.body.innerText,
        ...elements.flatMap((element) =>
          ['title', 'aria-label', 'aria-valuetext'].map((name) => element.getAttribute(name) ?? ''),
        ),
      ],
    };
  });
  expect({ ...found, texts: [] }).toEqual({ ran: false, planted: 0, handlers: 0, links: [], texts: [] });
  expect(found.texts.filter((text) => UNSEEN.test(text))).toEqual([]);
}
