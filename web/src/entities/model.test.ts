import { expect, test } from "vitest";
import { cut, objectsOf } from "./bundle";
import { grouped, plainText, saidOf, type Related } from "./model";

const tool = (n: number, more = ""): string =>
  `{"type" : "tool",\t"id":"tool--${String(n)}","n":1.0, "text":"a \\"}] , b"${more}}`;

test("objects keep their characters as they stand in the file", () => {
  const texts = [tool(1), tool(2, ',"deep":{"a":[1,{"b":"]"}]}')];
  const bundle = ` { "id":"x", "objects" : [ ${texts.join(" ,\n")} ] , "type":"bundle" } `;
  expect(objectsOf(bundle)).toEqual(texts);
  expect(objectsOf('{"type":"bundle","objects":[]}')).toEqual([]);
  expect(objectsOf('{"type":"bundle"}')).toEqual([]);
});

test("what is no bundle is none", () => {
  expect(objectsOf("secret")).toBeNull();
  expect(objectsOf("null")).toBeNull();
  expect(objectsOf('{"type":"report","objects":[]}')).toBeNull();
});

test("an act has at most 256 objects, and what is too large is counted", () => {
  const many = Array.from({ length: 257 }, (_, n) => `{"type":"tool","id":"tool--${String(n)}"}`);
  const job = cut([...many, `{"type":"tool","name":"${"a".repeat(60_000)}"}`]);
  expect(job.held).toEqual({ "object-too-large": 1 });
  expect(job.parts.every(part => part.objects.length <= 256)).toBe(true);
  expect(job.parts.flatMap(part => part.objects)).toEqual(many);
  expect(job.objects).toBe(258);
});

test("ends come before what relates them, with the definitions that they name", () => {
  const mark = '{"type":"marking-definition","id":"marking-definition--1"}';
  const relationship =
    '{"type":"relationship","id":"r","object_marking_refs":["marking-definition--1"]}';
  const [part] = cut([relationship, tool(1), mark]).parts;
  expect(part?.objects).toEqual([tool(1), mark, relationship]);
  expect(part?.definitions).toEqual([mark]);
});

test("descriptions are read as plain words", () => {
  expect(plainText("[Net](https://x.example/S0039) uses <code>net</code>.(Citation: A B)")).toBe(
    "Net uses net.",
  );
});

test("what the original says is read, and what cannot be read is shown as it came", () => {
  const said = saidOf('{"name":"A","aliases":["A","B"],"x_mitre_aliases":["C"]}');
  expect(said?.aliases).toEqual(["B", "C"]);
  expect(saidOf("{")?.text).toBe("{");
  expect(saidOf(undefined)).toBeNull();
});

test("related entities are grouped by direction and kind, in the order of titles", () => {
  const one = (direction: "in" | "out", title: string): Related => ({
    direction,
    kind: "uses",
    relationship: "r",
    relationship_mark: "",
    entity: title,
    type: "tool",
    title,
    mark: "",
    modified: null,
  });
  const groups = grouped([one("in", "c"), one("out", "b"), one("out", "a")]);
  expect(groups.map(group => group.key)).toEqual(["out uses", "in uses"]);
  expect(groups[0]?.items.map(item => item.title)).toEqual(["a", "b"]);
});
