/** How the names and values of entries are read: as UTF-8 text, or as the bytes they are. @public */
export type Payload = "string" | "buffer";
