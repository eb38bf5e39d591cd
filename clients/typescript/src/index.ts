/** Portcullis from a Node back end: `Client` asks the gate, `Key` signs, and the rest is what both stand on. */

export { Client, Refused, type Draft } from "./client.js";
export { actBytes, actDigest, challenge, checkOptions, Differs, factorId, Key, relay, type AuthenticationResponse } from "./signing.js";
export type * from "./models.js";
