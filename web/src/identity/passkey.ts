// Passkeys: what the browser is asked, and its answers as the node takes them (WebAuthn Level 3).

/** A challenge to sign in, to be verified again, or to sign an act. */
export interface Asked {
  challenge: string;
  rp_id: string;
  credentials?: readonly string[];
}

/** What the node gives to make a passkey. */
export interface NewAsked {
  challenge: string;
  rp_id: string;
  user_id: string;
  user_name: string;
  exclude: readonly string[];
}

/** An answer to a challenge; each in base64url. */
export interface Given {
  credential: string;
  authenticator_data: string;
  client_data: string;
  signature: string;
}

/** A new passkey; each in base64url. */
export interface Made {
  client_data: string;
  attestation: string;
}

/** How long a person may take, in milliseconds: as long as the node waits. */
const PATIENCE_MS = 300_000;
/** ES256 and EdDSA, as COSE numbers them (RFC 9053). */
const ALGORITHMS = [-7, -8];

/** Writes bytes in base64url without padding (RFC 4648 §5). */
export function encode(bytes: ArrayBuffer | Uint8Array): string {
  const text = Array.from(new Uint8Array(bytes), byte => String.fromCharCode(byte)).join("");
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Reads base64url without padding. */
export function decode(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, character => character.charCodeAt(0));
}

/** Whether this browser, at this address, can use passkeys at all. */
export const able = (): boolean =>
  typeof PublicKeyCredential === "function" && globalThis.isSecureContext;

const named = (id: string): PublicKeyCredentialDescriptor => ({
  type: "public-key",
  id: decode(id),
});

/** Asks for an answer; null when the person or the browser refuses. */
export async function answer(asked: Asked): Promise<Given | null> {
  try {
    const got = await navigator.credentials.get({
      publicKey: {
        challenge: decode(asked.challenge),
        rpId: asked.rp_id,
        allowCredentials: (asked.credentials ?? []).map(named),
        userVerification: "required",
        timeout: PATIENCE_MS,
      },
    });
    if (!(got instanceof PublicKeyCredential)) return null;
    const response = got.response as AuthenticatorAssertionResponse;
    return {
      credential: encode(got.rawId),
      authenticator_data: encode(response.authenticatorData),
      client_data: encode(response.clientDataJSON),
      signature: encode(response.signature),
    };
  } catch {
    // The person pressed cancel, or no passkey of this node is here: one answer for both.
    return null;
  }
}

/** Makes a passkey; null when the person or the browser refuses. */
export async function make(asked: NewAsked, node: string): Promise<Made | null> {
  try {
    const made = await navigator.credentials.create({
      publicKey: {
        challenge: decode(asked.challenge),
        rp: { id: asked.rp_id, name: node },
        user: { id: decode(asked.user_id), name: asked.user_name, displayName: asked.user_name },
        pubKeyCredParams: ALGORITHMS.map(alg => ({ type: "public-key" as const, alg })),
        excludeCredentials: asked.exclude.map(named),
        authenticatorSelection: { residentKey: "required", userVerification: "required" },
        attestation: "none",
        timeout: PATIENCE_MS,
      },
    });
    if (!(made instanceof PublicKeyCredential)) return null;
    const response = made.response as AuthenticatorAttestationResponse;
    return {
      client_data: encode(response.clientDataJSON),
      attestation: encode(response.attestationObject),
    };
  } catch {
    return null;
  }
}

/** A code or token of 256 bits that the node never holds, and the digest that it is given. */
export async function draw(): Promise<{ code: string; digest: string }> {
  const code = encode(crypto.getRandomValues(new Uint8Array(32)));
  return { code, digest: await digestOf(code) };
}

/** SHA-256 of a text, in hexadecimal. */
export async function digestOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), byte => byte.toString(16).padStart(2, "0")).join("");
}

/** The code in the address of an enrolment; it stands behind `#`, which no server is sent. */
export const codeIn = (hash: string): string => /^#enrol=([\w-]{20,200})$/.exec(hash)?.[1] ?? "";
