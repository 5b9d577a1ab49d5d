const ftp = require("basic-ftp")
const fs = require("fs")
const { Readable, Writable } = require("stream")

const [host, port, there, way] = process.argv.slice(1).filter((word) => word !== "--")

function check(truth, what) {
    if (!truth) throw new Error(what)
}

async function main() {
    const client = new ftp.Client(20000)
    const secure = way !== "clear"
    await client.access({
        host,
        port: Number(port),
        user: "anna",
        password: "secret",
        secure,
        secureOptions: secure && { rejectUnauthorized: false, minVersion: way, maxVersion: way },
    })
    await client.cd(there)
    check((await client.pwd()) === "/" + there, "pwd")
    const names = (await client.list("odd")).map((entry) => entry.name)
    check(names.join("|") === "#hash|[x]|a b|a'b|a;b|äö", names.join("|"))
    check((await client.size("text")) === 8, "size")
    check((await client.lastMod("text")) instanceof Date, "lastMod")
    check((await client.features()).has("MLST"), "features")

    let text = ""
    const sink = new Writable({ write(chunk, _, done) { text += chunk; done() } })
    await client.downloadTo(sink, "text", 4)
    check(text === "two\n", "resume: " + text)
    await client.uploadFrom(Readable.from(["hello"]), "new")
    await client.appendFrom(Readable.from([" world"]), "new")
    check((await client.size("new")) === 11, "append")
    // Node closes the socket of an empty upload before TLS is on it, which may as well be an attack.
    await client.uploadFrom(secure ? "up" : "up-empty", " front and behind ")
    await client.remove(" front and behind ")
    await client.rename("text", "moved")
    await client.remove("moved")
    await client.ensureDir("deep/er/est")
    await client.cd("/" + there)
    await client.removeDir("deep")
    check((await client.remove("none", true)).code === 550, "remove none")

    await client.downloadToDir("down")
    if (secure) fs.unlinkSync("down/empty")
    await client.ensureDir("tree")
    await client.clearWorkingDir()
    await client.uploadFromDir("down")
    check(fs.readFileSync("down/big").length === 2000000, "big")
    client.close()
    console.log("done")
}

main().catch((error) => {
    console.error(error)
    process.exit(1)
})
