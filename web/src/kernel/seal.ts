// Sealing what a device keeps: AES-256-GCM under the key that the node gives to this person.

export interface Sealed {
  iv: Uint8Array<ArrayBuffer>;
  bytes: ArrayBuffer;
}

const IV_BYTES = 12;

const bytesOf = (base64url: string): Uint8Array<ArrayBuffer> => {
  const text = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, char => char.charCodeAt(0));
};

/** Takes 32 bytes in base64url; what is imported leaves the browser no more. */
export const importKey = (base64url: string): Promise<CryptoKey> =>
  crypto.subtle.importKey("raw", bytesOf(base64url), "AES-GCM", false, ["encrypt", "decrypt"]);

/** Seals a value for one name: under another name it does not open. */
export async function seal(key: CryptoKey, name: string, value: unknown): Promise<Sealed> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const additionalData = new TextEncoder().encode(name);
  const plain = new TextEncoder().encode(JSON.stringify(value));
  return {
    iv,
    bytes: await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData }, key, plain),
  };
}

/** Opens what was sealed; undefined when it was altered, moved, or sealed for somebody else. */
export async function unseal(key: CryptoKey, name: string, sealed: Sealed): Promise<unknown> {
  const additionalData = new TextEncoder().encode(name);
  try {
    const algorithm = { name: "AES-GCM", iv: sealed.iv, additionalData };
    const plain = await crypto.subtle.decrypt(algorithm, key, sealed.bytes);
    return JSON.parse(new TextDecoder().decode(plain)) as unknown;
  } catch {
    return undefined;
  }
}
