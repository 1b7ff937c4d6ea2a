import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { set } from "./server.js";

const run = promisify(execFile);
const home = join(import.meta.dirname, "..");

/** The compiler, as a program for node. */
export const tsc = join(home, "node_modules/typescript/bin/tsc");

/** A project of somebody who uses the package as it would be published, and nothing that it does not declare. */
export class Project {
  private constructor(readonly dir: string) {}

  static async make(type: "module" | "commonjs"): Promise<Project> {
    const dir = await mkdtemp(join(tmpdir(), "coinslot-project-"));
    const packed = join(dir, "node_modules/@coinslot/sdk");
    await mkdir(packed, { recursive: true });
    await run("tar", ["-xzf", set("COINSLOT_SDK_TARBALL"), "--strip-components", "1", "-C", packed]);
    const { dependencies } = JSON.parse(await readFile(join(packed, "package.json"), "utf8"));
    for (const name of [...Object.keys(dependencies), "@types/node"]) {
      await mkdir(dirname(join(dir, "node_modules", name)), { recursive: true });
      await symlink(join(home, "node_modules", name), join(dir, "node_modules", name));
    }
    await writeFile(join(dir, "package.json"), JSON.stringify({ type }));
    return new Project(dir);
  }

  remove(): Promise<void> {
    return rm(this.dir, { recursive: true });
  }

  write(name: string, text: string): Promise<void> {
    return writeFile(join(this.dir, name), text);
  }

  /** Compiles files, the package's declarations as strictly as they. A failure shows what the compiler said. */
  async compile(files: string[], ...options: string[]): Promise<void> {
    const strict = [
      "--strict",
      "--exactOptionalPropertyTypes",
      "--skipLibCheck",
      "false",
      "--target",
      "es2022",
      "--lib",
      "es2022",
      "--types",
      "node",
    ];
    try {
      await run(process.execPath, [tsc, ...strict, ...options, ...files], { cwd: this.dir });
    } catch (error) {
      throw new Error((error as { stdout: string }).stdout, { cause: error });
    }
  }
}
