// Checks KQL with Microsoft's parser. stdin: {tables, functions, texts}; stdout: one answer for each text, in order.
//   tables: {name: [[column, type], ...]}   functions: [{name, parameters, body}]   texts: [{prefix, text}]
//   answer: {kind, diagnostics: [...], columns: [[name, type], ...] or null, uses: [{kind, name, start}, ...]}
// Positions are offsets into the text; what stands in the prefix (declared parameters) has negative ones.
"use strict";
const fs = require("fs");
const path = require("path");
const vm = require("vm");

function loadLanguage() {
  const folder = path.dirname(require.resolve("@kusto/language-service-next/package.json"));
  globalThis.window = globalThis; // the package is built for browsers
  for (const file of ["bridge", "bridge.meta", "Kusto.Language.Bridge", "Kusto.Language.Bridge.meta"]) {
    const script = path.join(folder, `${file}.min.js`);
    vm.runInThisContext(fs.readFileSync(script, "utf8"), script);
  }
  return globalThis.Kusto.Language;
}

const Language = loadLanguage();
const { Symbols, Syntax } = Language;
const array = (list) => Array.from({ length: list.Count }, (_, index) => list.getItem(index));
const bracketed = (name) => `['${name.replace(/\\/g, "\\\\").replace(/'/g, "\\'")}']`;

function globals({ tables, functions }) {
  const symbols = Object.entries(tables).map(([name, columns]) => {
    const declared = columns.map(([column, type]) => `${bracketed(column)}:${type}`).join(", ");
    return Symbols.TableSymbol.From(`(${declared})`).WithName(name);
  });
  for (const { name, parameters, body } of functions) {
    symbols.push(new Symbols.FunctionSymbol.$ctor16(name, `(${parameters})`, `{ ${body}\n }`, null));
  }
  return Language.GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.ctor("workspace", symbols));
}

// Which kind of use a referenced symbol is; null for what nobody asks about.
function kindOf(symbol, known) {
  if (symbol instanceof Symbols.TableSymbol) return known.has(symbol) ? "table" : null;
  if (symbol instanceof Symbols.FunctionSymbol) {
    if (known.has(symbol)) return "function";
    return Language.GlobalState.Default.GetFunction(symbol.Name) || Language.GlobalState.Default.GetAggregate(symbol.Name)
      ? "builtin"
      : Language.GlobalState.Default.GetPlugIn(symbol.Name) ? "plugin" : null;
  }
  if (symbol instanceof Symbols.ColumnSymbol) return "column";
  // Declared query parameters are variables too.
  return symbol instanceof Symbols.ParameterSymbol || symbol instanceof Symbols.VariableSymbol ? "variable" : null;
}

function usesOf(code, known, shift) {
  const uses = [];
  Syntax.SyntaxElement.WalkNodes(code.Syntax, (node) => {
    const start = node.TextStart - shift;
    if (node instanceof Syntax.QueryOperator) {
      uses.push({ kind: "operator", name: node.GetFirstToken().Text, start });
    }
    // A call refers to its function as a whole and once more by its name: the name is enough.
    const symbol = node instanceof Syntax.Name || node instanceof Syntax.FunctionCallExpression ? null : node.ReferencedSymbol;
    const kind = symbol && kindOf(symbol, known);
    if (kind) uses.push({ kind, name: symbol.Name, start });
  });
  return uses;
}

function answer({ prefix, text }, state, known) {
  const code = Language.KustoCode.ParseAndAnalyze(prefix + text, state);
  const diagnostics = array(code.GetDiagnostics()).map((found) => ({
    code: found.Code, severity: found.Severity, message: found.Message, start: found.Start - prefix.length, length: found.Length,
  }));
  const type = code.ResultType;
  const columns = type instanceof Symbols.TableSymbol ? array(type.Columns).map((column) => [column.Name, column.Type.Name]) : null;
  return { kind: code.Kind, diagnostics, columns, uses: usesOf(code, known, prefix.length) };
}

const request = JSON.parse(fs.readFileSync(0, "utf8"));
const state = globals(request);
const known = new Set(array(state.Database.Members));
process.stdout.write(JSON.stringify(request.texts.map((text) => answer(text, state, known))));
