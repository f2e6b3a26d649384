// On paper the marking stands in the margins of every page, top and bottom.

const sheet = new CSSStyleSheet();
let adopted = false;

const quoted = (text: string): string => `"${text.replace(/["\\]/g, "")}"`;

/** Puts a marking and a remark on each printed page. */
export function printMarking(marking: string, remark: string): void {
  if (!adopted) document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  adopted = true;
  const box = `content: ${quoted(marking)}; font: 600 10pt sans-serif;`;
  sheet.replaceSync(`@page {
    margin: 18mm 14mm;
    @top-center { ${box} }
    @bottom-center { ${box} }
    @bottom-left { content: ${quoted(remark)}; font: 8pt sans-serif; }
    @bottom-right { content: counter(page) " / " counter(pages); font: 8pt sans-serif; }
  }`);
}
