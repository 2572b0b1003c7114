"""Reads the files of an audit log with nothing of Ward's code: frames by struct, bodies by a CBOR
reader of our own, the chain by hashlib. What it accepts is what audit/*/README.md say."""
import hashlib
import hmac
import pathlib
import re
import struct

ROOT = pathlib.Path(__file__).resolve().parents[2]
RECORD, ERASED, SNAPSHOT = 1, 2, 3
HEADER_BYTES = 96


def table(path, macro):
    """The rows of a .def file: {number: the other words}."""
    rows = re.findall(rf"^{macro}\(\s*(\d+),\s*(\w+),\s*([^,]+),", (ROOT / path).read_text(), re.M)
    return {int(number): (first, second.strip().strip('"')) for number, first, second in rows}


EVENTS = {number: text for number, (_, text) in table("audit/record/event.def", "EVENT").items()}
FIELDS = table("audit/record/field.def", "FIELD")


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = CRC_TABLE[(crc ^ byte) & 255] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def crc_entry(value):
    for _ in range(8):
        value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value


CRC_TABLE = [crc_entry(i) for i in range(256)]
assert crc32c(b"123456789") == 0xE3069283


class Cbor:
    """The deterministic part of RFC 8949 that records use."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        assert self.at + count <= len(self.data), "cut off"
        self.at += count
        return self.data[self.at - count:self.at]

    def head(self):
        first = self.take(1)[0]
        major, extra = first >> 5, first & 31
        if extra < 24:
            return major, extra
        assert extra <= 27, "indefinite or reserved"
        width = 1 << extra - 24
        value = int.from_bytes(self.take(width), "big")
        assert value >= (24 if width == 1 else 1 << 8 * width // 2), "not the shortest form"
        return major, value

    def value(self):
        major, argument = self.head()
        if major == 0:
            return argument
        if major == 1:
            return -1 - argument
        if major == 2:
            return bytes(self.take(argument))
        if major == 3:
            return self.take(argument).decode()
        assert major == 5, f"major type {major}"
        pairs, last = {}, None
        for _ in range(argument):
            start = self.at
            key = self.value()
            spelt = self.data[start:self.at]
            assert last is None or (len(last), last) < (len(spelt), spelt), "keys out of order"
            last = spelt
            pairs[key] = self.value()
        return pairs


def decode_body(body):
    reader = Cbor(body)
    pairs = reader.value()
    assert reader.at == len(body), "bytes behind the map"
    record = {FIELDS[number][1]: value for number, value in pairs.items()}
    record["event"] = EVENTS[record["event"]]
    for kind, name in FIELDS.values():
        if kind == "E6" and name in record:
            record[name] /= 1e6
    record["pairs"] = pairs
    return record


def frames(path):
    """(kind, tenant, sequence, epoch, previous, mac, body) of each frame of one file."""
    data, at = path.read_bytes(), 0
    while at < len(data):
        length, crc, kind, tenant, sequence, epoch = struct.unpack_from("<IIIIQQ", data, at)
        end = at + HEADER_BYTES + length
        assert end <= len(data), f"{path.name}: torn at {at}"
        assert crc32c(data[at + 8:end]) == crc, f"{path.name}: checksum at {at}"
        yield (kind, tenant, sequence, epoch, data[at + 32:at + 64], data[at + 64:at + 96],
               data[at + HEADER_BYTES:end])
        at = end


def check_signature(directory, body, record):
    """Of a checkpoint, where the machine has the package for it."""
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        return
    public = key_file(directory / "signing.pub")
    assert record["chain_id"] == public
    # The signature is the last pair: key 66 (0x18 0x42), then 64 bytes (0x58 0x40).
    assert body[-68:-64] == b"\x18\x42\x58\x40"
    count = body[0] & 31
    assert body[0] >> 5 == 5 and 0 < count < 24
    rest = hashlib.sha256(bytes([5 << 5 | count - 1]) + body[1:-68]).digest()
    signed = public + struct.pack("<QI", record["time"], record["tenants_size"]) + record["tenants_root"] + rest
    Ed25519PublicKey.from_public_bytes(public).verify(
        record["signature"], b"ward audit checkpoint v1\n" + signed)


def key_file(path):
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    return bytes.fromhex("".join(lines))


def read_log(directory):
    """Every record, in order, after everything about the chain was checked."""
    directory = pathlib.Path(directory)
    officer = directory / "officer.key"
    mac_key, mac_epoch = (key_file(officer), 0) if officer.exists() else (None, 0)
    head, last, records, numbers = bytes(32), 0, [], {}
    for path in sorted((directory / "segments").glob("*.seg")):
        for kind, tenant, sequence, epoch, previous, mac, body in frames(path):
            if kind == SNAPSHOT:
                assert sequence == last and int(path.stem) == last + 1
                continue
            leaf = body if kind == ERASED else hashlib.sha256(b"\0" + body).digest()
            assert sequence == last + 1 and previous == head, f"the chain breaks at {sequence}"
            head = hashlib.sha256(
                b"\2" + previous + struct.pack("<QQI", sequence, epoch, tenant) + leaf).digest()
            while mac_key and mac_epoch < epoch:
                mac_key = hmac.digest(mac_key, b"ward next epoch", "sha256")
                mac_epoch += 1
            assert not mac_key or hmac.digest(mac_key, head, "sha256") == mac, f"MAC of {sequence}"
            last = sequence
            numbers[tenant] = numbers.get(tenant, 0) + 1
            if kind == RECORD:
                record = decode_body(body)
                assert record["number"] == numbers[tenant] and record["tenant_id"] == tenant
                if record["event"] == "chain.checkpoint":
                    assert record["head"] == previous and record["sequence"] == sequence
                    check_signature(directory, body, record)
                records.append(record)
    return records


def tenant_key(directory, tenant_id):
    """What digests of that tenant's texts are keyed with."""
    root = key_file(pathlib.Path(directory) / "digest.key")
    return hmac.digest(root, b"tenant" + struct.pack("<I", tenant_id), "sha256")
