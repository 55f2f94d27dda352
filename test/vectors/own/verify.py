#!/usr/bin/env python3
"""A second verifier, written from docs/ledger-format.md alone. It needs Python 3 and the openssl command, nothing else.

    python3 verify.py <folder of vectors>                        judges every vector as its "good" says, or names it
    python3 verify.py --log <ledger>... --key <vkey> [--kept f]  verifies ledgers, oldest first
"""
import base64, binascii, hashlib, hmac, json, os, re, struct, subprocess, sys, tempfile, zlib


class Bad(Exception):
    pass


def need(condition, what):
    if not condition:
        raise Bad(what)


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def unbase64(text):
    try:
        raw = base64.b64decode(text.encode(), validate=True)
    except (binascii.Error, ValueError):
        raise Bad("not base64")
    need(base64.b64encode(raw).decode() == text, "not the one base64 of its bytes")
    return raw


# --- what openssl does

def openssl(args, stdin=None):
    return subprocess.run(["openssl"] + args, input=stdin, capture_output=True)


known = {}


def ed25519(public, message, signature):
    """RFC 8032, by openssl; a triple that was judged before is not judged again."""
    asked = (public, message, signature)
    if asked not in known:
        with tempfile.TemporaryDirectory() as at:
            def put(name, data):
                path = os.path.join(at, name)
                with open(path, "wb") as file:
                    file.write(data)
                return path
            der = put("key", bytes.fromhex("302a300506032b6570032100") + public)
            done = openssl(["pkeyutl", "-verify", "-pubin", "-inkey", der, "-keyform", "DER", "-rawin",
                            "-in", put("text", message), "-sigfile", put("signature", signature)])
            known[asked] = done.returncode == 0
    return known[asked]


def aes(mode, key, iv, data):
    args = ["enc", "-aes-256-" + mode, "-K", key.hex(), "-nopad"] + (["-iv", iv.hex()] if iv else [])
    return openssl(args, data).stdout


# --- notes

def vkey_of(text):
    found = re.fullmatch(r"([^+\s]+)\+([0-9a-f]{8})\+(.+)", text.strip())
    need(found, "a verifier key is name+id+key")
    name, key_id, raw = found.group(1), bytes.fromhex(found.group(2)), unbase64(found.group(3))
    need(len(raw) == 33 and raw[0] in (1, 4), "not an Ed25519 key of a log or a witness")
    need(sha(name.encode(), b"\n", raw)[:4] == key_id, "the key id is of another key")
    return name, key_id, raw[0], raw[1:]


def open_note(note, keys):
    """The text of a note; every line by a known key must verify. Returns also whose lines there are."""
    need(note.endswith("\n") and "\n\n" in note, "no signature block")
    need(not re.search("[\x00-\x09\x0b-\x1f]", note), "control characters")
    cut = note.rindex("\n\n")
    text, signers = note[: cut + 1], []
    for line in note[cut + 2 : -1].split("\n"):
        found = re.fullmatch("— (\\S+) (\\S+)", line)
        need(found, "a signature line is malformed")
        raw = unbase64(found.group(2))
        for name, key_id, kind, public in keys:
            if (name, key_id) != (found.group(1), raw[:4]):
                continue
            rest = raw[4:]
            if kind == 1:
                need(len(rest) == 64 and ed25519(public, text.encode(), rest), "the signature does not match")
            else:
                need(len(rest) == 72, "a cosignature has 72 bytes")
                seconds = struct.unpack(">Q", rest[:8])[0]
                signed = "cosignature/v1\ntime %d\n%s" % (seconds, text)
                need(ed25519(public, signed.encode(), rest[8:]), "the cosignature does not match")
            signers.append(name)
    need(signers, "no signature by a known key")
    return text, signers


def checkpoint_of(text):
    lines = text.split("\n")
    need(len(lines) >= 4 and lines[-1] == "" and "" not in lines[:-1], "a checkpoint has three lines")
    need(re.fullmatch("0|[1-9][0-9]*", lines[1]), "the size is not a number")
    root = unbase64(lines[2])
    need(len(root) == 32, "the root is not a hash")
    return lines[0], int(lines[1]), root


def open_checkpoint(note, key):
    origin, size, root = checkpoint_of(open_note(note, [key])[0])
    need(origin == key[0], "the checkpoint is of another log")
    return size, root


# --- the tree (RFC 6962)

def leaf(entry):
    return sha(b"\x00", entry)


def tree(hashes):
    if not hashes:
        return sha()
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return sha(b"\x01", tree(hashes[:split]), tree(hashes[split:]))


def inclusion(index, size, value, path, root):
    """RFC 9162, 2.1.3.2."""
    need(index < size, "the index is beyond the tree")
    first, last = index, size - 1
    for step in path:
        need(last > 0, "the path is too long")
        if first & 1 or first == last:
            value = sha(b"\x01", step, value)
            if not first & 1:
                while first and not first & 1:
                    first, last = first >> 1, last >> 1
        else:
            value = sha(b"\x01", value, step)
        first, last = first >> 1, last >> 1
    need(last == 0 and value == root, "the path does not lead to the root")


# --- canonical JSON (RFC 8785)

def number(value):
    if isinstance(value, int):
        if abs(value) < 10 ** 21 and int(float(value)) == value:
            return str(value)
        value = float(value)
    if value == 0:
        return "0"
    sign, value = ("-", -value) if value < 0 else ("", value)
    digits, exponent = ("%r" % value).lower(), 0
    if "e" in digits:
        digits, exponent = digits.split("e")
        exponent = int(exponent)
    whole, _, part = digits.partition(".")
    part = "" if part == "0" else part
    digits, point = whole + part, len(whole) + exponent
    stripped = digits.lstrip("0")
    point -= len(digits) - len(stripped)
    digits = stripped.rstrip("0")
    count = len(digits)
    if count <= point <= 21:
        text = digits + "0" * (point - count)
    elif 0 < point <= 21:
        text = digits[:point] + "." + digits[point:]
    elif -6 < point <= 0:
        text = "0." + "0" * -point + digits
    else:
        text = digits[0] + ("." + digits[1:] if count > 1 else "") + "e%+d" % (point - 1)
    return sign + text


short = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def canonical(value):
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (int, float)):
        return number(value)
    if isinstance(value, str):
        value.encode()  # half of a surrogate pair is no text
        return '"' + "".join(short.get(c, "\\u%04x" % ord(c) if c < " " else c) for c in value) + '"'
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    members = sorted(value.items(), key=lambda item: item[0].encode("utf-16-be"))
    return "{" + ",".join(canonical(name) + ":" + canonical(one) for name, one in members) + "}"


# --- entries

GROUPS = {"who", "what", "target", "result", "approval", "admin"}
ID = re.compile("[A-Za-z0-9_-]{1,64}")


def types(document):
    """The entry types, from the one place of the document that lists them."""
    with open(document, encoding="utf-8") as file:
        text = file.read()
    found = re.search(r"<!-- entry types -->(.*?)<!-- end -->", text, re.S)
    return set(re.findall(r"`([a-z.-]+)`", found.group(1)))


TYPES = types(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../docs/ledger-format.md"))


def count(value, least=0):
    return type(value) is int and least <= value < 2 ** 53


def entry_of(raw):
    need(len(raw) <= 8192, "too long")
    try:
        text = raw.decode("utf-8")
        value = json.loads(text)
        need(canonical(value) == text, "not canonical")
    except ValueError:
        raise Bad("not JSON")
    need(isinstance(value, dict), "not an object")
    need(set(value) <= {"boot", "c", "gw", "k", "sid", "sq", "t", "ts", "v", "x"}, "an unknown member")
    need(value.get("v") == 1 and value.get("t") in TYPES, "an unknown version or type")
    need(count(value.get("ts")) and isinstance(value.get("gw"), str), "no time or no gateway")
    need(isinstance(value.get("x"), dict), "no facts")
    for name in ("boot", "sid", "k"):
        need(name not in value and name != "boot" or isinstance(value.get(name), str) and ID.fullmatch(value[name]), "a malformed " + name)
    need("sq" not in value or count(value["sq"], 1) and "sid" in value, "a malformed sequence number")
    need(("c" in value) == ("k" in value), "commitments and key come together")
    for group, commitment in (value["c"].items() if isinstance(value.get("c"), dict) else ()):
        need(group in GROUPS and isinstance(commitment, str) and re.fullmatch("[A-Za-z0-9_-]{43}", commitment), "a malformed commitment")
    need(isinstance(value.get("c", {}), dict), "malformed commitments")
    return value


class Rules:
    """What entries must say about each other."""

    def __init__(self, key):
        self.key, self.before, self.sessions, self.ended = key, None, {}, set()
        self.seals, self.successor, self.predecessor = {}, None, None
        self.asks = False
        self.sealing, self.gone, self.holds, self.scopes = {}, set(), {}, {}

    def entry(self, index, e, key_id, text_of_key):
        t, x, before = e["t"], e["x"], self.before
        need(before is None or e["ts"] >= before["ts"], "time runs backwards")
        need(e.get("k") == key_id, "the payload is sealed with another key than the entry says")
        if index == 0:
            need(t == "log.genesis" and x.get("origin") == self.key[0] and x.get("vkey") == text_of_key, "not the genesis of this log")
            self.predecessor = x.get("predecessor")
        else:
            need(self.successor is None, "an entry after log.successor")
            need(t != "log.genesis", "a second genesis")
            if t == "gateway.start":
                ended = {"gateway.stop": "stopped", "log.genesis": "created"}.get(before["t"], "crashed")
                previous = x.get("previous")
                need(isinstance(previous, dict) and previous.get("boot") == before["boot"] and previous.get("last") == index - 1, "a start that does not continue")
                need(previous.get("ended") == ended, "a start that says otherwise how it ended")
                need(x.get("boot") == e["boot"] != before["boot"], "a start of another boot")
                self.asks = "asks" in x
            else:
                need(e["boot"] == before["boot"] and before["t"] != "gateway.stop", "a boot without a start")
        if t == "log.successor":
            name = vkey_of(x["vkey"])[0]
            need(name == x.get("origin") != self.key[0] and not self.sessions and isinstance(x.get("reason"), str), "a malformed successor")
            self.successor = x
        if t == "heartbeat" and "open" in x:
            need(x["open"] == len(self.sessions), "a heartbeat that counts otherwise")
        if t == "export.receipt":
            need(x["first"] <= x["next"] <= index and x["events"] <= x["next"] - x["first"], "a receipt of what was not there")
        if "sid" in e:
            self.in_session(e, t, x)
        self.erasure(e, t, x)
        self.before = e

    def erasure(self, e, t, x):
        sid, key = e.get("sid"), e.get("k")
        if t == "session.open":
            self.scopes[sid] = {"target": x.get("target"), "from": e["ts"], "to": float("inf")}
        if t in ("session.seal", "session.orphaned"):
            self.scopes[sid]["to"] = e["ts"]
        need(key not in self.gone, "sealed with a key that was destroyed")
        if key is not None and key not in self.sealing:
            self.sealing[key] = sid if t == "session.open" else None
        if t == "retention.hold":
            need(isinstance(x.get("id"), str) and x["id"] not in self.holds, "a hold without a name of its own")
            self.holds[x["id"]] = x
        if t == "retention.release":
            need(self.holds.pop(x.get("id"), None) is not None or self.predecessor, "no such hold is in force")
        if t != "retention.shred":
            return
        need(isinstance(x.get("keys"), list) and 1 <= len(x["keys"]) <= 200, "a shredding of no keys")
        for one in x["keys"]:
            need(isinstance(one, str) and ID.fullmatch(one) and one not in self.gone, "a key that is none, or twice")
            need(one in self.sealing or self.predecessor, "a key that sealed nothing")
            session = self.sealing.get(one)
            need(session not in self.sessions, "a session that is open")
            if session is not None:
                need(not any(self.kept(hold, session) for hold in self.holds.values()), "in spite of a hold")
            self.gone.add(one)

    def kept(self, hold, session):
        of = self.scopes[session]
        return (hold.get("principal") is not True and hold.get("session", session) == session
                and hold.get("target", of["target"]) == of["target"]
                and hold.get("from", 0) <= of["to"] and hold.get("to", float("inf")) >= of["from"])

    def in_session(self, e, t, x):
        sid, sq = e["sid"], e.get("sq")
        if t == "session.open":
            need(sid not in self.sessions and sid not in self.ended, "a session opened twice")
            self.sessions[sid] = {"last": 0, "held": set(), "permitted": set(), "target": False}
            return
        bound = t.startswith("statement.") or t in ("session.seal", "session.orphaned", "session.target")
        if sid not in self.sessions:
            need(not bound, "something outside of its session")
            return
        s = self.sessions[sid]
        if t == "session.target":
            need(not s["target"], "a second target of a session")
            s["target"] = True
        if t == "statement.decision":
            need(sq is not None and sq <= s["last"] + 1, "a sequence number is missing")
            if sq <= s["last"]:
                need(sq in s["held"], "decided twice")
                s["held"].discard(sq)
            if x.get("d") == "permit":
                need(not self.asks or s["target"] or x.get("k") == "connect", "a permit before the session's target")
                s["permitted"].add(sq)
            if x.get("d") == "hold":
                s["held"].add(sq)
            s["last"] = max(s["last"], sq)
        elif sq is not None:
            need(sq <= s["last"], "a statement without a decision")
            if t == "statement.outcome":
                need(sq in s["permitted"], "an outcome without a permit, or a second one")
                s["permitted"].discard(sq)
        if t in ("session.seal", "session.orphaned"):
            need("n" not in x or x["n"] == s["last"], "a seal that counts otherwise")
            self.seals[sid] = x.get("recording")
            del self.sessions[sid]
            self.ended.add(sid)


# --- journal

def parse_frame(data, at, previous):
    """One frame: first index, records, where it ends, its trailer."""
    head = data[at : at + 24]
    need(len(head) == 24 and head[:4] == b"CSF1", "not a frame")
    first, many, size, crc = struct.unpack(">QIII", head[4:])
    need(crc == zlib.crc32(head[:20]) and many > 0, "a damaged frame header")
    end = at + 24 + size
    need(len(data) >= end + 32, "a frame that is cut short")
    trailer = data[end : end + 32]
    need(trailer == sha(previous, data[at:end]), "the chain of trailers is broken")
    body, place, records = data[at + 24 : end], 0, []
    for _ in range(many):
        need(place + 3 <= size, "a body that is not filled exactly")
        length = struct.unpack(">H", body[place : place + 2])[0]
        entry = body[place + 2 : place + 2 + length]
        place += 2 + length
        need(place < size, "a body that is not filled exactly")
        id_length = body[place]
        place += 1
        sealed = None
        if id_length:
            key_id = body[place : place + id_length].decode("latin-1")
            place += id_length
            need(place + 10 <= size, "a body that is not filled exactly")
            position = int.from_bytes(body[place : place + 6], "big")
            sealed_length = struct.unpack(">I", body[place + 6 : place + 10])[0]
            place += 10
            sealed = (key_id, position, body[place : place + sealed_length])
            need(len(sealed[2]) == sealed_length, "a body that is not filled exactly")
            place += sealed_length
        records.append((entry, sealed))
    need(place == size, "a body that is not filled exactly")
    return first, records, end + 32, trailer


def read_journal(files):
    """Every entry of a log with its sealed payload; checks frames, chain, and the seals of segments."""
    names = sorted(name for name in files if name.startswith("journal/"))
    entries, trailer, closed = [], bytes(32), None
    for name in names:
        need(re.fullmatch(r"journal/\d{12}", name), "a file that does not belong here")
        data = files[name]
        need(int(name[8:]) == len(entries), "a segment is missing")
        need(data[:8] == b"CSJRNL1\n" and struct.unpack(">Q", data[8:16])[0] == len(entries), "not the header of this segment")
        need(data[16:48] == trailer, "a segment that does not continue the one before")
        begin, at, first_frame = len(entries), 48, True
        while at < len(data):
            first, records, at, trailer = parse_frame(data, at, trailer)
            need(first == len(entries), "indices are not dense")
            seal = [json.loads(raw)["x"] for raw, _ in records if b'"t":"journal.seal"' in raw]
            if first_frame and closed:
                need(seal and seal[0] == closed, "the segment before is not sealed, or otherwise")
            else:
                need(not seal, "a seal of what did not end")
            entries += records
            first_frame = False
        need(not first_frame, "a segment without a frame")
        closed = {"first": begin, "entries": len(entries) - begin, "bytes": len(data), "sha256": trailer.hex()}
    return entries


# --- a log

def tile_path(level, n, width):
    name = "%03d" % (n % 1000)
    n //= 1000
    while n:
        name, n = "x%03d/%s" % (n % 1000, name), n // 1000
    return "tile/%s/%s%s" % (level, name, "" if width == 256 else ".p/%d" % width)


def check_tiles(files, entries, size):
    """Every tile and bundle holds what the journal holds; all that the checkpoint needs exist."""
    want, level, row = {}, 0, [leaf(entry) for entry in entries]
    def rows(kind, parts, needed):
        for n in range((len(parts) + 255) // 256):
            part = parts[n * 256 : n * 256 + 256]
            for width in range(1, len(part) + 1):
                if tile_path(kind, n, width) in files:
                    want[tile_path(kind, n, width)] = b"".join(part[:width])
        for n in range((needed + 255) // 256):
            width = min(256, needed - n * 256)
            there = [w for w in range(width, 257) if tile_path(kind, n, w) in files]
            need(there, "a tile is missing")
    rows("entries", [struct.pack(">H", len(entry)) + entry for entry in entries], size)
    while row:
        rows(str(level), row, size >> (8 * level))
        row = [tree(row[at : at + 256]) for at in range(0, len(row) // 256 * 256, 256)]
        level += 1
    for name, data in files.items():
        if name.startswith("tile/"):
            need(want.get(name) == data, "a tile that does not hold what the journal holds: " + name)


def verify_log(files, vkey, kept=()):
    key = vkey_of(vkey)
    need("checkpoint" in files, "no checkpoint")
    size, root = open_checkpoint(files["checkpoint"].decode(), key)
    for name in files:
        need(re.fullmatch(r"checkpoint(\.cosigned)?|journal/\d{12}|tile/(entries|\d{1,2})/.*|timestamps/\d+\.(tsr|checkpoint)", name), "a file that does not belong here")
    rules, records = Rules(key), read_journal(files)
    for index, (raw, sealed) in enumerate(records):
        rules.entry(index, entry_of(raw), sealed[0] if sealed else None, vkey.strip())
    hashes = [leaf(raw) for raw, _ in records]
    need(0 < size <= len(records), "the journal is shorter than the checkpoint")
    need(tree(hashes[:size]) == root, "the root is of other entries")
    others = [open_checkpoint(note, key) for note in kept]
    if "checkpoint.cosigned" in files:
        others.append(open_checkpoint(files["checkpoint.cosigned"].decode(), key))
    for other_size, other_root in others:
        need(other_size <= len(records), "the log was rolled back")
        need(tree(hashes[:other_size]) == other_root, "another history than what was kept")
    check_tiles(files, [raw for raw, _ in records], size)
    return {"rules": rules, "size": size, "root": root, "entries": len(records), "vkey": vkey.strip(), "name": key[0]}


def verify_chain(logs, vkey, kept=()):
    names = [files["checkpoint"].decode().split("\n")[0] if "checkpoint" in files else None for files in logs]
    start = names.index(vkey_of(vkey)[0]) if vkey_of(vkey)[0] in names else None
    if start is None and len(logs) == 1:
        start = 0
    need(start is not None, "none of these is the log of the key")
    mine = lambda at: [note for note in kept if note.split("\n")[0] == names[at]] if len(logs) > 1 else list(kept)
    done = {start: verify_log(logs[start], vkey, mine(start))}
    for at in range(start + 1, len(logs)):
        successor = done[at - 1]["rules"].successor
        need(successor, "no successor")
        done[at] = verify_log(logs[at], successor["vkey"], mine(at))
    for at in range(start - 1, -1, -1):
        predecessor = done[at + 1]["rules"].predecessor
        need(predecessor, "no predecessor")
        done[at] = verify_log(logs[at], predecessor["vkey"], mine(at))
    for at in range(1, len(logs)):
        old, new = done[at - 1], done[at]
        s, p = old["rules"].successor, new["rules"].predecessor
        need(s and p, "logs that do not name each other")
        need((s["origin"], s["vkey"]) == (new["name"], new["vkey"]), "another successor")
        need((p["origin"], p["vkey"], p["size"], p["root"]) == (old["name"], old["vkey"], old["size"], base64.b64encode(old["root"]).decode()), "another predecessor")
        need(old["entries"] == old["size"], "the end of the old log is under no checkpoint")
    return done


# --- payloads and recordings

def hkdf(key, info):
    inner = hmac.new(bytes(32), key, hashlib.sha256).digest()
    return hmac.new(inner, info.encode() + b"\x01", hashlib.sha256).digest()


def open_payload(key, index, entry, position, sealed):
    stream = hkdf(key, "countersign/v1/payload")
    skip = position % 16
    plain = aes("ctr", stream, (position // 16).to_bytes(16, "big"), bytes(skip) + sealed)[skip:]
    try:
        text = plain.decode("utf-8")
        payload = json.loads(text)
    except ValueError:
        raise Bad("the payload does not open")
    need(isinstance(payload, dict) and set(payload) == set(entry["c"]), "other groups than committed")
    for group, value in payload.items():
        salt = base64.urlsafe_b64encode(sha(hkdf(key, "countersign/v1/salt"), struct.pack(">Q", index), group.encode())).rstrip(b"=")
        said = sha(b"countersign-commit/v1\n", group.encode(), b"\n", salt, b"\n", canonical(value).encode())
        need(base64.urlsafe_b64encode(said).rstrip(b"=").decode() == entry["c"][group], "another value than committed")


def chunks_of(data):
    need(data[:7] == b"CSREC1\n" and len(data) > 8, "not a recording")
    at = 8 + data[7]
    parts = [data[:at]]
    while at < len(data):
        need(at + 4 <= len(data), "a chunk that is cut short")
        length = struct.unpack(">I", data[at : at + 4])[0]
        need(at + 4 + length <= len(data), "a chunk that is cut short")
        parts.append(data[at + 4 : at + 4 + length])
        at += 4 + length
    return parts


def check_recording(data, seal):
    need(len(data) == seal["bytes"], "another length than sealed")
    parts = chunks_of(data)
    need(len(parts) - 1 == seal["chunks"] and tree([leaf(part) for part in parts]).hex() == seal["root"], "other chunks than sealed")
    return parts


def ghash(h, data):
    y, h = 0, int.from_bytes(h, "big")
    for at in range(0, len(data), 16):
        y ^= int.from_bytes(data[at : at + 16], "big")
        z, v = 0, h
        for bit in range(127, -1, -1):
            if y >> bit & 1:
                z ^= v
            v = (v >> 1) ^ (0xE1 << 120) if v & 1 else v >> 1
        y = z
    return y.to_bytes(16, "big")


def gcm(key, nonce, aad, data):
    """SP 800-38D with AES from openssl."""
    sealed, tag = data[:-16], data[-16:]
    pad = lambda part: part + bytes(-len(part) % 16)
    sums = ghash(aes("ecb", key, None, bytes(16)), pad(aad) + pad(sealed) + struct.pack(">QQ", len(aad) * 8, len(sealed) * 8))
    mask = aes("ecb", key, None, nonce + b"\0\0\0\1")
    need(bytes(a ^ b for a, b in zip(sums, mask)) == tag, "the tag does not fit")
    return aes("ctr", key, nonce + b"\0\0\0\2", sealed)


def unzstd(data):
    """Frames of raw blocks, as the vectors have them: Python's own library reads zstd from 3.14 on only."""
    need(data[:4] == b"\x28\xb5\x2f\xfd" and data[4] == 0x20, "not a zstd frame of this kind")
    head = int.from_bytes(data[6:9], "little")
    need(head & 7 == 1 and head >> 3 == data[5] == len(data) - 9, "not one raw block")
    return data[9:]


def open_recording(v):
    parts = check_recording(bytes.fromhex(v["file"]), v["seal"])
    key = hkdf(bytes.fromhex(v["key"]), "countersign/v1/recording/" + v["session"])
    for number, part in enumerate(parts[1:]):
        aad = "countersign-recording/v1\n%s\n%d" % (v["session"], number)
        need(unzstd(gcm(key, number.to_bytes(12, "big"), aad.encode(), part)).hex() == v["chunks"][number], "another chunk")


# --- the vectors

def play_note(v):
    text, signers = open_note(v["note"], [vkey_of(key) for key in v["keys"]])
    checkpoint_of(text)
    need(len(signers) == len(v["keys"]), "not all of the keys signed")


def play_proof(v):
    head, _, note = v["proof"].partition("\n\n")
    lines = head.split("\n")
    need(lines[0] == "c2sp.org/tlog-proof@v1", "not a proof")
    index = re.fullmatch("index (0|[1-9][0-9]*)", lines[1])
    need(index, "no index")
    path = [unbase64(line) for line in lines[2:]]
    need(all(len(step) == 32 for step in path), "a hash of the path is malformed")
    size, root = open_checkpoint(note, vkey_of(v["key"]))
    inclusion(int(index.group(1)), size, leaf(v["entry"].encode()), path, root)


def play_tile(v):
    bundle, at, hashes = bytes.fromhex(v["bundle"]), 0, b""
    while at < len(bundle):
        need(at + 2 <= len(bundle), "a bundle that is cut short")
        length = struct.unpack(">H", bundle[at : at + 2])[0]
        need(at + 2 + length <= len(bundle), "a bundle that is cut short")
        hashes += leaf(bundle[at + 2 : at + 2 + length])
        at += 2 + length
    need(hashes.hex() == v["tile"], "the tile is of other entries")


def play_frame(v):
    data = bytes.fromhex(v["frame"])
    need(parse_frame(data, 0, bytes.fromhex(v["previous"]))[2] == len(data), "bytes behind the frame")


def play_log(v):
    logs = [{name: base64.b64decode(data) for name, data in log.items()} for log in v["logs"]]
    done = verify_chain(logs, v["key"], v.get("kept", ()))
    if "recordings" not in v:
        return
    recordings = {name: base64.b64decode(data) for name, data in v["recordings"].items()}
    known_names = set()
    for log in done.values():
        for sid, seal in log["rules"].seals.items():
            if seal and seal["bytes"]:
                name = "%s/%s.rec" % (sid[:2], sid)
                known_names.add(name)
                need(name in recordings, "a recording is missing")
                check_recording(recordings[name], seal)
        known_names |= {"%s/%s.rec" % (sid[:2], sid) for sid in log["rules"].sessions}
    need(set(recordings) <= known_names, "a recording of no session")


PLAYERS = {
    "note": play_note,
    "proof": play_proof,
    "canonical": lambda v: need(canonical(json.loads(v["input"])) == v["output"], "another text"),
    "entry": lambda v: entry_of(v["entry"].encode()),
    "tile": play_tile,
    "frame": play_frame,
    "payload": lambda v: open_payload(bytes.fromhex(v["key"]), v["index"], json.loads(v["entry"]), v["position"], bytes.fromhex(v["sealed"])),
    "recording": open_recording,
    "log": play_log,
}


def judge(folder):
    played = otherwise = 0
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".json"):
            continue
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            for vector in json.load(file):
                played += 1
                wrong = None
                try:
                    PLAYERS[vector["kind"]](vector)
                except Bad as bad:
                    wrong = str(bad)
                if (wrong is None) != vector["good"]:
                    otherwise += 1
                    print("%s: %s: %s" % (name, vector["name"], wrong or "nothing is wrong with it"))
    print("%d vectors, %d judged otherwise" % (played, otherwise))
    return 1 if otherwise else 0


def folder_files(folder):
    files = {}
    for at, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(at, name)
            with open(path, "rb") as file:
                files[os.path.relpath(path, folder).replace(os.sep, "/")] = file.read()
    return files


def main(args):
    if args[:1] != ["--log"]:
        return judge(args[0])
    at = args.index("--key")
    rest = args[at + 2 :]
    kept = [open(rest[i + 1], encoding="utf-8").read() for i in range(0, len(rest), 2) if rest[i] == "--kept"]
    try:
        done = verify_chain([folder_files(one) for one in args[1:at]], args[at + 1], kept)
    except Bad as bad:
        print("not verified: %s" % bad)
        return 1
    print("verified: " + ", ".join("%s with %d entries" % (log["name"], log["entries"]) for _, log in sorted(done.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
