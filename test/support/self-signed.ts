import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterwards } from "./workbench.js";

/** A folder that is gone after the test. */
export async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "rxjs-redis-streams-test-"));
  afterwards(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** A key and a certificate for it; undefined where there is no openssl. */
export async function selfSigned(): Promise<{ key: Buffer; cert: Buffer } | undefined> {
  const dir = await folder();
  const [key, cert] = [join(dir, "key.pem"), join(dir, "cert.pem")];
  const args = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost", "-keyout", key, "-out", cert];
  try {
    await promisify(execFile)("openssl", args);
  } catch {
    return undefined;
  }
  return { key: await readFile(key), cert: await readFile(cert) };
}
