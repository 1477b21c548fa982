// xterm_screens.js MODULES ROWS COLS OFFSET... <RECORDING: the screens of
// @xterm/headless at these offsets, as one JSON array a line:
// {"cursor": [row, col], "rows": [[[text, {fact: value}]]]}.
'use strict';

const path = require('path');
const [modules, rows, cols, ...offsets] = process.argv.slice(2);
const {Terminal} = require(path.join(modules, '@xterm', 'headless'));

const underlines = [null, 'single', 'double', 'curly', 'dotted', 'dashed'];

function colour(isPalette, isRgb, value) {
  if (isPalette) return `${value}`;
  return isRgb ? '#' + value.toString(16).padStart(6, '0') : undefined;
}

function underline(cell) {
  if (!cell.isUnderline()) return {};
  // the public interface has neither style nor colour of an underline
  const extended = cell.extended || {};
  const facts = {underline: underlines[extended.underlineStyle || 1]};
  const colour = extended.underlineColor;
  const mode = (colour >>> 24) & 3;
  const value = colour & 0xffffff;
  if (colour === undefined || value === 0xffffff && mode === 3)  // SGR 59
    return facts;
  if (mode === 1 || mode === 2)
    facts['underline-colour'] = `${value & 0xff}`;
  else if (mode === 3)
    facts['underline-colour'] = '#' + value.toString(16).padStart(6, '0');
  return facts;
}

function style(cell) {
  const facts = underline(cell);
  const set = (name, value) => {
    if (value) facts[name] = value === true ? true : value;
  };
  set('bold', !!cell.isBold());
  set('dim', !!cell.isDim());
  set('italic', !!cell.isItalic());
  set('blink', !!cell.isBlink());
  set('reverse', !!cell.isInverse());
  set('hidden', !!cell.isInvisible());
  set('strike', !!cell.isStrikethrough());
  set('overline', !!cell.isOverline());
  set('fg', colour(cell.isFgPalette(), cell.isFgRGB(), cell.getFgColor()));
  set('bg', colour(cell.isBgPalette(), cell.isBgRGB(), cell.getBgColor()));
  return facts;
}

function screen(terminal) {
  const buffer = terminal.buffer.active;
  const lines = [];
  for (let row = 0; row < terminal.rows; row++) {
    const line = buffer.getLine(buffer.baseY + row);
    const out = [];
    for (let col = 0; line && col < terminal.cols; col++) {
      const cell = line.getCell(col);
      const isTail = cell.getWidth() === 0;
      out.push([isTail ? '' : cell.getChars() || ' ', style(cell)]);
    }
    lines.push(out);
  }
  return {
    cursor: [buffer.cursorY, Math.min(buffer.cursorX, terminal.cols - 1)],
    rows: lines,
  };
}

async function main() {
  const terminal = new Terminal({
    rows: +rows, cols: +cols, scrollback: 1000, allowProposedApi: true,
  });
  const data = require('fs').readFileSync(0);
  let at = 0;
  for (const offset of offsets.map(Number)) {
    const piece = data.subarray(at, offset);
    await new Promise((done) => terminal.write(piece, done));
    at = offset;
    console.log(JSON.stringify(screen(terminal)));
  }
}

main();
