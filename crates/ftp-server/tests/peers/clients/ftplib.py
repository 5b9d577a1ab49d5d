import ftplib, io, ssl, sys

host, port, there, way = sys.argv[1:5]
if way == "clear":
    ftp = ftplib.FTP()
else:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    version = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[way]
    context.minimum_version = context.maximum_version = version
    ftp = ftplib.FTP_TLS(context=context)
ftp.connect(host, int(port), timeout=20)
try:
    ftp.login("anonymous", "x@")
    raise SystemExit("anonymous was let in")
except ftplib.error_perm as error:
    assert str(error).startswith("530"), error
ftp.login("anna", "secret")
assert "MLST" in ftp.sendcmd("FEAT")
assert ftp.pwd() == "/"
if way != "clear":
    ftp.prot_p()
ftp.cwd(there)
assert ftp.pwd() == "/" + there
assert ftp.nlst("odd") == ["odd/#hash", "odd/[x]", "odd/a b", "odd/a'b", "odd/a;b", "odd/äö"]
facts = dict(ftp.mlsd("", ["type", "size"]))
assert facts["text"] == {"type": "file", "size": "8"}, facts
ftp.storbinary("STOR n", io.BytesIO(b"hello"))
ftp.storbinary("APPE n", io.BytesIO(b" world"))
assert ftp.size("n") == 11
taken = io.BytesIO()
ftp.retrbinary("RETR n", taken.write, rest=6)
assert taken.getvalue() == b"world"
ftp.storlines("STOR l", io.BytesIO(b"a\nb\n"))
lines = []
ftp.retrlines("RETR l", lines.append)
assert lines == ["a", "b"], lines
ftp.voidcmd("TYPE I")
assert ftp.size("l") == 4
assert ftp.sendcmd("MFMT 20200102030405 l").startswith("213 Modify=20200102030405;")
assert ftp.sendcmd("MDTM l") == "213 20200102030405"
assert ftp.mkd('quo"ted') == f'/{there}/quo"ted'
ftp.cwd('quo"ted')
assert ftp.pwd() == f'/{there}/quo"ted'
ftp.cwd("..")
ftp.rmd('quo"ted')
ftp.rename("n", "m")
ftp.delete("m")
ftp.delete("l")
ftp.set_pasv(False)
taken = io.BytesIO()
ftp.retrbinary("RETR text", taken.write)
assert taken.getvalue() == b"one\ntwo\n"
ftp.set_pasv(True)
# ABOR as urgent data, in the middle of a transfer that does not fit into any buffer.
# TLS has no urgent data, and Python's refuses to send any.
if way == "clear":
    data = ftp.transfercmd("STOR aborted")
    data.sendall(b"x" * 1000)
    assert ftp.abort().startswith("426")
    assert ftp.getresp().startswith("226")
    data.close()
    ftp.delete("aborted")
big = io.BytesIO()
ftp.retrbinary("RETR big", big.write)
big.seek(0)
ftp.storbinary("STOR bigger", big)
assert ftp.size("bigger") == ftp.size("big") == 2000000
assert ftp.sendcmd("HASH bigger").split()[3] == ftp.sendcmd("HASH big").split()[3]
for bad in ("CWD /out", "RETR out/secret", "STOR out/new", "MKD out/new", "RNFR out/secret", "SIZE out/secret"):
    try:
        ftp.sendcmd("EPSV") if bad[:4] in ("RETR", "STOR") else None
        ftp.sendcmd(bad)
        raise SystemExit(bad + " led out")
    except ftplib.error_perm as error:
        assert str(error)[:3] in ("550", "553"), error
ftp.voidcmd("NOOP")
assert ftp.quit().startswith("221")
print("done")
