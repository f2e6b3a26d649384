// Trusted Types: the one place where an address becomes something that the browser runs.
//
// The policy is the default one because workers are started by libraries as well, with a string. It
// lets through our own built files and nothing else; there is no way at all to make HTML of a text.

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): unknown;
}

/** Whether an address is one of our own built scripts. */
export function ours(url: string, origin: string): boolean {
  const at = new URL(url, origin);
  return at.origin === origin && /^\/assets\/[\w.-]+\.js$/.test(at.pathname) && at.search === "";
}

const trustedTypes = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes;
trustedTypes?.createPolicy("default", {
  createScriptURL(url) {
    if (import.meta.env.DEV || ours(url, location.origin)) return url;
    throw new TypeError("not a script of this node");
  },
});
