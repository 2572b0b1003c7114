"""What an operator types before rules hold: ward policy check, show, list."""
import hashlib
import json
import pathlib
import re
import subprocess

import pytest
from conftest import BINARY, PATIENCE_S

PACKS = {"us-ca", "us-hipaa", "us-il", "us-nv", "us-ny", "us-ut"}


def policy(*arguments):
    return subprocess.run([BINARY, "policy", *map(str, arguments)], capture_output=True, text=True,
                          timeout=PATIENCE_S)


def write(folder, name, text):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def digest_of(path):
    return json.loads(policy("check", "--json", path).stdout)["files"][0]["digest"]


# ---- check --------------------------------------------------------------------------------------

def test_check_says_ok_with_digest_and_packs(tmp_path):
    good = write(tmp_path, "good.yaml", "version: 1\nextends: strict\npacks: [us-ca, us-ny]\n")
    told = policy("check", good)
    assert told.returncode == 0 and told.stderr == ""
    assert re.fullmatch(re.escape(str(good)) + r": ok, digest [0-9a-f]{64}, packs us-ca us-ny\n",
                        told.stdout)


def test_check_names_file_line_key_and_what_is_allowed(tmp_path):
    wrong = write(tmp_path, "wrong.yaml", "version: 1\ninbound:\n  NAME: hide\n")
    good = write(tmp_path, "good.yaml", "version: 1\n")
    told = policy("check", wrong, good)
    assert told.returncode == 1
    assert told.stderr.count("\n") == 1
    assert f"{wrong}:3: NAME: \"hide\"" in told.stderr and "redact" in told.stderr
    assert told.stdout.startswith(f"{good}: ok")


@pytest.mark.parametrize("text,part", [
    ("version: 1\npaks: [us-ca]\n", "did you mean packs?"),
    ("version: 1\npacks: [us-xx]\n", "us-xx"),
    ("version: 1\n\tkeep: [year]\n", ":2:"),
    ("", "version: 1"),
])
def test_what_is_wrong_is_told_in_one_line(tmp_path, text, part):
    told = policy("check", write(tmp_path, "x.yaml", text))
    assert told.returncode == 1 and part in told.stderr and told.stderr.count("\n") == 1


def test_check_as_json(tmp_path):
    good = write(tmp_path, "good.yaml", "version: 1\nname: north\npacks: [us-ut]\n")
    told = policy("check", "--json", good, tmp_path / "missing.yaml")
    answer = json.loads(told.stdout)
    assert told.returncode == 1 and answer["ok"] is False and told.stderr == ""
    first, second = answer["files"]
    assert first["ok"] and first["name"] == "north" and first["packs"] == ["us-ut"]
    assert not second["ok"] and "missing.yaml" in second["error"] and "digest" not in second
    assert json.loads(policy("check", "--json", good).stdout)["ok"] is True


def test_packs_and_regions_are_checked_too(tmp_path):
    shown = policy("show", "us-ca").stdout
    pack = write(tmp_path, "pack.yaml", shown)
    assert policy("check", pack).stdout == f"{pack}: ok, a pack\n"
    without = write(tmp_path, "without.yaml", re.sub(r"(?m)^    source: .*\n", "", shown, count=1))
    told = policy("check", without)
    assert told.returncode == 1 and "source:" in told.stderr
    region = write(tmp_path, "region.yaml", policy("show", "gb").stdout)
    assert policy("check", region).stdout == f"{region}: ok, a region\n"


def test_wrong_use():
    for arguments in [("check",), ("show",), ("show", "a", "b"), ("list", "x"), ("nothing",), ()]:
        told = policy(*arguments)
        assert told.returncode == 2 and told.stderr.startswith("ward: "), arguments
    assert policy("show", "no-such").returncode == 1
    assert policy("show", "../x").returncode == 2
    for told in (policy("show", "standard", "--directory", "/no/such"),
                 policy("check", __file__, "--directory", "/no/such")):
        assert told.returncode == 2 and "/no/such" in told.stderr and told.stdout == ""
    assert "not legal advice" in policy("--help").stdout


# ---- the digest ---------------------------------------------------------------------------------

def test_the_digest_follows_every_file_that_took_part(tmp_path):
    text = "version: 1\npacks: [us-ca]\n"
    here = write(tmp_path, "a/north.yaml", text)
    there = write(tmp_path, "b/north.yaml", text)
    before = digest_of(here)
    assert before == digest_of(there)
    write(tmp_path, "b/packs/us-ca.yaml", policy("show", "us-ca").stdout)
    assert digest_of(there) == before  # the same bytes
    write(tmp_path, "b/packs/us-ca.yaml", policy("show", "us-ca").stdout + "\n")
    assert digest_of(there) != before and digest_of(here) == before
    assert digest_of(write(tmp_path, "a/north.yaml", text + "\n")) != before


def test_the_digest_is_sha256_of_names_lengths_and_bytes(tmp_path):
    """Recomputed from the files, in their order: its own, what it extends, its region, its packs."""
    files = [("mine", b"version: 1\nextends: observe\npacks: [own]\nregion: here\n")]
    folder = write(tmp_path, "mine.yaml", files[0][1].decode()).parent
    region = policy("show", "ca").stdout
    pack = policy("show", "us-nv").stdout
    write(folder, "regions/here.yaml", region)
    write(folder, "packs/own.yaml", pack)
    told = policy("show", "mine", "--directory", folder)
    assert told.returncode == 0, told.stderr
    hashed = hashlib.sha256()
    root = pathlib.Path(__file__).resolve().parents[3]
    files += [("rules/observe.yaml", (root / "policy/data/rules/observe.yaml").read_bytes()),
              ("regions/here.yaml", region.encode()), ("packs/own.yaml", pack.encode())]
    for name, content in files:
        for part in (name.encode(), content):
            hashed.update(len(part).to_bytes(8, "little") + part)
    assert digest_of(folder / "mine.yaml") == hashed.hexdigest()


# ---- show, list ---------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["observe", "standard", "strict", "redact"])
def test_what_is_shown_is_a_file_that_means_the_same(tmp_path, name):
    shown = policy("show", name)
    assert shown.returncode == 0
    again = write(tmp_path, "again.yaml", shown.stdout)
    assert policy("check", again).returncode == 0
    second = policy("show", "again", "--directory", tmp_path)
    assert second.stdout.split("\n", 1)[1] == shown.stdout.split("\n", 1)[1]


def test_show_says_the_law_of_each_duty(tmp_path):
    write(tmp_path, "north.yaml", "version: 1\npacks: [us-ut, us-ny]\n"
                                  "resources: {extra: [\"212-555-0142\"]}\n"
                                  "formats: [{kind: MRN, shape: RB-999999}]\n")
    shown = policy("show", "north", "--directory", tmp_path).stdout
    assert "# Not legal advice." in shown
    assert "discloses_again_after_days: 7\n    # us-ut: Utah Code 13-72a-203" in shown
    assert "reminds_every_minutes: 180\n    # us-ny: General Business Law 1702" in shown
    assert "212-555-0142" in shown and "RB-999999" in shown
    write(tmp_path, "again.yaml", shown)
    assert policy("check", tmp_path / "again.yaml").returncode == 0


def test_every_pack_names_its_sources_and_is_no_advice():
    told = json.loads(policy("list", "--json").stdout)
    assert set(told["packs"]) == PACKS and all(told["packs"].values())
    assert list(told["rules"]) == ["observe", "standard", "strict", "redact"]
    assert {"us", "ca", "gb"} <= set(told["regions"])
    for name in told["packs"]:
        shown = policy("show", name).stdout
        assert shown.startswith("# Not legal advice.")
        assert shown.count("duty:") == shown.count("source:") > 0
    listed = policy("list").stdout
    assert all(name in listed for name in PACKS) and "not legal advice" in listed
