// Single-token mutations of Solidity source: what there is to mutate in a file.

/** Replacements by token; the first that fits a place is tried longest first, so that `<=` is not taken for `<`. */
const operators = {
  "==": ["!="],
  "!=": ["=="],
  "<=": ["<", ">"],
  ">=": [">", "<"],
  "&&": ["||"],
  "||": ["&&"],
  "++": ["--"],
  "--": ["++"],
  "<<": [">>"],
  ">>": ["<<"],
  "|=": ["="],
  "<": ["<=", ">"],
  ">": [">=", "<"],
  "+": ["-"],
  "-": ["+"],
  "*": ["/"],
  "/": ["*"],
  "%": ["/"],
  "^": ["|"],
  "!": [""],
  true: ["false"],
  false: ["true"],
  onlyGovernance: [""],
  onlyMembership: [""],
};
const token = /"(?:[^"\\]|\\.)*"|=>|==|!=|<=|>=|&&|\|\||\+\+|--|<<|>>|\|=|[A-Za-z_$][\w$]*|0x[\da-fA-F]+|\d[\d_]*|\S/g;
const untouched = /^\s*(?:\/\/|\*|\/\*|import |pragma |using |event |error |struct |enum |mapping|modifier |contract |abstract |library |interface )/;

/** All mutants of a source: offset, the token there, and what takes its place. */
export function mutantsOf(file, source) {
  const found = [];
  let offset = 0;
  for (const line of source.split("\n")) {
    if (!untouched.test(line)) {
      const code = line.replace(/\/\/.*$/, "");
      for (const { 0: text, index } of code.matchAll(token)) {
        for (const replacement of replacements(text, code, index)) {
          found.push({ file, offset: offset + index, text: replacement.over ?? text, replacement: replacement.by });
        }
      }
    }
    offset += line.length + 1;
  }
  return found.map((m) => ({ ...m, line: source.slice(0, m.offset).split("\n").length }));
}

function* replacements(text, code, index) {
  if (text === "if" && /^if \(.*\) (?:revert|return|continue|break)\b/.test(code.slice(index))) {
    const condition = code.slice(index, closing(code, code.indexOf("(", index)) + 1);
    yield { over: condition, by: "if (false)" }; // a check removed
    return;
  }
  if (/^\d[\d_]*$/.test(text)) {
    if (!/uint|bytes|int|\d{4}/.test(code.slice(Math.max(0, index - 5), index))) yield { by: String(Number(text.replaceAll("_", "")) + 1) };
    return;
  }
  if (text === "delete" || (text === "emit" && code.trimEnd().endsWith(";"))) {
    const statement = code.slice(index).trimEnd();
    if (statement.endsWith(";")) yield { over: statement, by: "" }; // a statement removed
    return;
  }
  for (const by of Object.hasOwn(operators, text) ? operators[text] : []) yield { by };
}

function closing(code, open) {
  let depth = 0;
  for (let i = open; i < code.length; ++i) {
    if (code[i] === "(") ++depth;
    else if (code[i] === ")" && --depth === 0) return i;
  }
  return code.length - 1;
}

/** The source with the mutation made. */
export function mutate(source, { offset, text, replacement }) {
  if (source.slice(offset, offset + text.length) !== text) throw new Error(`the source has changed at ${offset}`);
  return source.slice(0, offset) + replacement + source.slice(offset + text.length);
}

/** A seeded shuffle (Fisher-Yates over xorshift32), the same everywhere. */
export function shuffled(list, seed) {
  const copy = [...list];
  let state = seed | 1;
  for (let i = copy.length - 1; i > 0; --i) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const j = (state >>> 0) % (i + 1);
    [copy[i], copy[j]] = [copy[j], copy[i]];
  }
  return copy;
}
