import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { actsOf, isDefinition, objectsOf, placeOf } from "./split";

describe("a bundle", () => {
  it("is cut into its objects to the byte", () => {
    const one = '{ "type":"tool",  "name": "a \\" } ] b", "x": [ {"y": 1.10} ] }';
    const two = '{"type":"marking-definition"}';
    const objects = `[ ${one} ,\n${two}]`;
    const bundle = `{"id":"b","objects" : ${objects}, "type":"bundle", "z":[[{}]]}`;
    expect(objectsOf(bundle)).toEqual([one, two]);
    expect([one, two].map(isDefinition)).toEqual([false, true]);
  });

  it("is nothing else", () => {
    for (const text of ["", "[]", "null", "{", '{"type":"bundle"}', '{"objects":[]}']) {
      expect(objectsOf(text)).toBeNull();
    }
    expect(objectsOf('{"type":"bundle","objects":[]}')).toEqual([]);
  });

  it("gives back whatever objects it was made of", () => {
    const rule = fc.property(fc.array(fc.dictionary(fc.string(), fc.jsonValue())), objects => {
      const texts = objects.map(object => JSON.stringify(object));
      expect(objectsOf(`{"type":"bundle","objects":[${texts.join(",")}]}`)).toEqual(texts);
    });
    fc.assert(rule);
  });

  it("becomes acts within their limits, and loses nothing", () => {
    const objects = [...Array(450).fill("x".repeat(100)), "y".repeat(70_000)] as string[];
    const acts = actsOf(objects);
    expect(acts.flat()).toEqual(objects);
    expect(acts.map(act => act.length)).toEqual([200, 200, 50, 1]);
    expect(actsOf([])).toEqual([]);
  });
});

it("a refusal names the place of the object", () => {
  expect(placeOf("objects[12]: the object bears a marking")).toBe(12);
  expect(placeOf("the command is too large")).toBeNull();
});
