#!/usr/bin/env python3
"""Checks a proof of `vcml prove`, as docs/evidence.md defines it: verify-proof.py PROOF [WITNESS]

WITNESS is a file with lines of checkpoints that left the node, such as a copy of a journal.
The exit code is 0 if everything holds, and else 1. Signatures are not checked.
"""
import base64, fnmatch, hashlib, json, re, sys

CHUNK_BYTES = 16384
MARK = b'},"action":"journal.checkpoint","object":'
REFUSALS = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
KINDS = ("deployment", "statefulset", "daemonset", "cronjob", "job", "replicaset")
PATTERNS = ("node", "namespace", "pod", "container", "image", "owner", "exe", "arg")
FLAGS = ("upperLayer", "memfd", "setuid")
OPTIONS = (*PATTERNS[:6], "user", "exe", "arg", "entry", "label", "gap", *FLAGS)
FORMS = {  # the lines of each form, in order; * any number, ? at most one, = followed by bytes
    "record": "record block chunk tree lines= checkpoint=",
    "selection": "record* where since? until? block follower? tree opening=? lines= checkpoint=",
}


def require(holds, why):
    if not holds:
        raise ValueError(why)


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def b64(text):
    raw = base64.b64decode(text, validate=True)
    require(len(raw) == 32 and base64.b64encode(raw).decode() == text, f"{text} is no SHA-256")
    return raw


def number(text):
    require(re.fullmatch("0|[1-9][0-9]{0,18}", text), f"{text} is no number")
    return int(text)


def read(data):
    """Returns the lines of a proof by their names."""
    proof, at = {}, 0

    def words():
        nonlocal at
        end = data.index(b"\n", at)
        line, at = data[at:end].decode(), end + 1
        return line.split(" ")

    require(words() == ["vcml-proof", "1"], "it is no proof")
    (_, proof["kind"]) = words()
    require(data.startswith(b"vcml-proof 1\nproves "), "it is no proof")
    for form in FORMS[proof["kind"]].split():
        name, found = form.rstrip("*?="), []
        while data.startswith(name.encode() + b" ", at) or data.startswith(name.encode() + b"\n", at):
            found.append(words()[1:])
            if "=" in form:
                size = number(" ".join(found[-1]))
                found[-1], at = data[at : at + size], at + size
                require(len(found[-1]) == size, "it ends too early")
            if "*" not in form:
                break
        require(found or "*" in form or "?" in form, f"it has no {name}")
        proof[name] = found if "*" in form else found[0] if found else None
    summed = data[:at]
    require(words() == ["sha256", base64.b64encode(sha(summed)).decode()], "it is damaged")
    require(at == len(data), "something follows its last line")
    return proof


def lines_of(text):
    return [line + b"\n" for line in text.split(b"\n")[:-1]]


def chunk_hashes(block):
    chunks, size = [[]], 0
    for line in lines_of(block):
        if size >= CHUNK_BYTES:
            chunks.append([])
            size = 0
        chunks[-1].append(line)
        size += len(line)
    return [sha(b"\0", *chunk) for chunk in chunks if chunk]


def root_of(hashes, first, size, outside=()):
    """Returns the RFC 6962 root of `size` leaves, from those from `first` on and the subtrees outside."""
    rest, last = list(outside), first + len(hashes)

    def root(begin, end):
        if end <= first or begin >= last:
            return rest.pop(0)
        if end - begin == 1:
            return hashes[begin - first]
        middle = begin + (1 << (end - begin - 1).bit_length() - 1)
        return sha(b"\1", root(begin, middle), root(middle, end))

    require(0 <= first and 0 < len(hashes) and last <= size, "a place is outside of its tree")
    result = root(0, size)
    require(not rest, "it has more hashes than its tree")
    return result


def checkpoint(line):
    require(lines_of(line) == [line], "a checkpoint is one line")
    record = json.loads(line)
    require(record["action"] == "journal.checkpoint", "a checkpoint is another record")
    facts = {k[16:]: v for k, v in record["attributes"].items() if k.startswith("vcml.checkpoint.")}
    host = record["resource"].get("host.id", record["resource"].get("host.name"))
    complete = facts.get("complete_until")
    if complete is not None:
        age = number(record["attributes"]["vcml.boot_time"]) - number(complete)
        require(age >= 0, "a checkpoint is complete up to a later time than its own")
        complete = record["timestamp"] - age
    return {**facts, "complete": complete, "time": record["timestamp"], "origin": f"vcml/{host}/{facts['epoch']}",
            "hook": (record["attributes"]["vcml.boot.id"], facts["hook_id"])}


def numbers(records, opening):
    """Requires that every number is recorded or lost, and returns the losses."""
    begins, found, recorded, last, losses = {}, {}, {}, {}, []
    if opening:
        begins[opening["hook"]] = opening["next_seq"]
    for record in records:
        of, action = record["attributes"].get, record["action"]
        boot, hook = of("vcml.boot.id"), (of("vcml.boot.id"), of("vcml.hook.id"))
        if action == "journal.start":
            begins.setdefault(hook, of("vcml.hook.next_seq"))
        elif action == "exec":
            key, seq = (hook, of("vcml.cpu")), of("vcml.seq")
            require(hook in begins, "an exec has a number of an unknown hook")
            found.setdefault(key, []).append((seq, seq))
            recorded.setdefault(key, []).append(seq)
            last[key] = max(last.get(key, 0), seq)
        elif action == "journal.loss":
            losses.append({k: v for k, v in record["attributes"].items() if ".loss." in k})
            key = ((boot, of("vcml.loss.hook_id")), of("vcml.loss.cpu"))
            if of("vcml.loss.last_seq") is not None:
                found.setdefault(key, []).append((of("vcml.loss.first_seq"), of("vcml.loss.last_seq")))
                if of("vcml.loss.stage") != "retention":
                    last[key] = max(last.get(key, 0), of("vcml.loss.last_seq"))
        elif action == "journal.checkpoint":
            for cpu, seq in enumerate(of("vcml.checkpoint.next_seq")):
                key = ((boot, of("vcml.checkpoint.hook_id")), cpu)
                last[key] = max(last.get(key, 0), seq - 1)
    for (hook, cpu), end in last.items():
        if hook not in begins:
            continue
        begin = begins[hook][cpu] if cpu < len(begins[hook]) else 1
        own = recorded.get((hook, cpu), [])
        require(len(set(own)) == len(own) and min(own, default=begin) >= begin, f"CPU {cpu}: a number is twice")
        for first, to in sorted(found.get((hook, cpu), [])):
            require(first <= begin, f"CPU {cpu}: {begin} to {first - 1} are neither recorded nor lost")
            begin = max(begin, to + 1)
        require(begin > end, f"CPU {cpu}: {begin} to {end} are neither recorded nor lost")
    return losses


def matches(pattern, *texts):
    """Whether one of some texts is a name, or matches a glob, whose `?` is one byte."""
    if re.search("[*?]", pattern):
        return any(fnmatch.fnmatchcase(text.encode(), pattern.encode()) for text in texts if text is not None)
    return pattern in texts


def read_where(text):
    """Reads the options of a selection, which have one form."""
    where = json.loads(text)
    require(isinstance(where, dict) and list(where) == [name for name in OPTIONS if name in where], "unknown options")
    require(json.dumps(where, ensure_ascii=False, separators=(",", ":")) == text, "its options have another form")
    for name, value in where.items():
        texts = value if name == "label" else [value]
        if name in FLAGS or (name == "gap" and value is True):
            require(value is True, f"{name} is not true")
            continue
        require(isinstance(texts, list) and all(isinstance(one, str) for one in texts), f"{name} is no text")
        require(not any("\0" in one for one in texts), f"{name} is no text")
        require(name != "user" or re.fullmatch("root|[0-9]{1,10}", value), "a user is a number, or root")
        if name in PATTERNS:
            require(not re.fullmatch("/(?s:.+)/", value), f"{name} is a regular expression")
            require(not re.search("[*?[]", value) or not re.search(r"[\[\\]|[^\0-\x7f]", value), f"{name} is no plain glob")
    return where


def selects(where, record):
    """Whether the options of a selection have a record."""
    of, at = record["resource"].get, record["attributes"].get
    pod = where.get("pod", "")
    if re.fullmatch("[^/]+/[^/]+", pod):
        namespace, pod = pod.split("/")
        if not matches(namespace, of("k8s.namespace.name")):
            return False
    owner = next((f"{k}/{of(f'k8s.{k}.name')}" for k in KINDS if of(f"k8s.{k}.name") is not None), None)
    uids = (record["actor"].get("uid"), at("process.user.id"), at("vcml.process.login_uid"))
    path_cut, object_cut = at("vcml.executable.path_truncated"), at("vcml.object.truncated")
    tests = {
        "node": lambda v: matches(v, of("k8s.node.name", of("host.name"))),
        "namespace": lambda v: matches(v, of("k8s.namespace.name")),
        "pod": lambda v: matches(pod, of("k8s.pod.name")),
        "container": lambda v: matches(v, of("k8s.container.name", of("container.name")))
        or (of("container.id") is not None and of("container.id").startswith(v)),
        "image": lambda v: matches(v, of("container.image.name"), of("container.image.id")),
        "owner": lambda v: matches(v, owner if "/" in v or owner is None else owner.split("/")[1]),
        "user": lambda v: (0 if v == "root" else int(v)) in uids,
        "exe": lambda v: matches(v, at("process.executable.path"), at("process.executable.name"), record["object"],
                                 record["object"].rsplit("/", 1)[-1])
        or bool(path_cut and re.search("[*?]", v)) or bool(object_cut and (re.search("[*?]", v) or "/" not in v)),
        "arg": lambda v: matches(v, *at("process.command_args", [])),
        "entry": lambda v: at("vcml.entry") == v,
        "label": lambda v: all(
            (of("k8s.pod.label." + k) == value) if eq else of("k8s.pod.label." + k) is not None
            for k, eq, value in (one.partition("=") for one in v)),
        "gap": lambda v: (record["parent_cause"] is None and not record["permitted_by"].startswith("root_event"))
        if v is True else at("vcml.gap.reason") == v,
        "upperLayer": lambda v: at("vcml.executable.upper_layer", False),
        "memfd": lambda v: at("vcml.executable.memfd", False),
        "setuid": lambda v: at("vcml.executable.setuid", False),
    }
    return record["action"] == "exec" and all(tests[name](value) for name, value in where.items())


def check(data, witness):
    proof = read(data)
    (first, before), anchor = proof["block"], checkpoint(proof["checkpoint"])
    leaf, previous = number(first), b64(before)
    if proof["kind"] == "record":
        hashes = chunk_hashes(proof["lines"])
        require(len(hashes) == 1 and lines_of(proof["lines"])[-1:], "its lines are no chunk")
        require(proof["lines"].endswith(b"\n"), "its lines are no chunk")
        sides = [word[:1] for word in proof["chunk"]]
        require(len(proof["lines"]) >= CHUNK_BYTES or ">" not in sides, "its chunk is cut")
        block = hashes[0]
        for side, other in zip(sides, (b64(word[1:]) for word in proof["chunk"])):
            require(side in ("<", ">"), "a hash has no side")
            block = sha(b"\1", other, block) if side == "<" else sha(b"\1", block, other)
        leaves = [sha(b"\0", previous, block)]
        records = [json.loads(line) for line in lines_of(proof["lines"])]
        (found,) = [record for record in records if record["id"] == " ".join(proof["record"])]
        said = f"record {found['id']}: {found['object']}"
    else:
        opening = checkpoint(proof["opening"]) if proof["opening"] else None
        require(previous == (sha(proof["opening"]) if opening else bytes(32)), "it begins elsewhere")
        require(opening or (leaf == 0 and not proof["since"]), "nothing says what was before its lines")
        require(proof["lines"].endswith(b"\n"), "its last line is not whole")
        leaves, block, records, sealed = [], b"", [], None
        for line in lines_of(proof["lines"]):
            records.append(json.loads(line))
            sealed = checkpoint(line) if MARK in line else None
            if sealed is None:
                block += line
                continue
            hashes = chunk_hashes(block)
            leaves.append(sha(b"\0", previous, root_of(hashes, 0, len(hashes)) if hashes else sha()))
            require(leaves[-1] == b64(sealed["leaf"]) and len(block) == sealed["bytes"], "a block was changed")
            require(sealed["size"] == leaf + len(leaves) and sealed["epoch"] == anchor["epoch"], "a block is missing")
            require(sealed["size"] == 1 or not sealed.get("unverified_segments"), "there are lines that no checkpoint covers")
            block, previous, closing = b"", sha(line), sealed
        require(sealed, "its lines do not end with a checkpoint")
        if proof["follower"]:
            leaves.append(sha(b"\0", previous, b64(" ".join(proof["follower"]))))
        else:
            require(previous == sha(proof["checkpoint"]), "nothing confirms its last checkpoint")
        since, until = (proof[name] and number(" ".join(proof[name])) for name in ("since", "until"))
        require(not opening or opening["size"] == leaf, "the checkpoint before is another one")
        require(since is None or opening["time"] <= since, "its lines begin too late")
        require(closing["complete"] is not None, "nothing says up to when its lines are complete")
        end = closing["complete"] if until is None else until
        require(end <= closing["complete"], "its lines are not complete up to its end")
        losses, where = numbers(records, opening), read_where(" ".join(proof["where"]))
        inside = [r for r in records if (since is None or r["timestamp"] >= since) and r["timestamp"] < end]
        ids = [record["id"] for record in inside if selects(where, record)]
        require(ids == [" ".join(words) for words in proof["record"]], f"its selection has {len(ids)} execs, and it names others")
        said = f"exactly {len(ids)} execs with {json.dumps(where)} from {since} until {end}: {ids}; losses: {losses}"
    require(root_of(leaves, leaf, anchor["size"], map(b64, proof["tree"])) == b64(anchor["root"]), "its lines are not under the root")
    require(witness is None or proof["checkpoint"] in lines_of(witness), "the witness does not have the checkpoint")
    return f"{said}\nunder {anchor['origin']}, size {anchor['size']}, root {anchor['root']}; signature not checked; " + (
        "the witness was not asked" if witness is None else "the witness has the checkpoint")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__.strip())
    try:
        files = [open(path, "rb").read() for path in sys.argv[1:]]
    except OSError as error:
        sys.exit(f"{error}\n\n{__doc__.strip()}")
    try:
        result = check(files[0], files[1] if len(files) > 1 else None)
        print("proved:" if len(files) > 1 else "consistent, but nobody confirms it:", result)
    except REFUSALS as error:
        sys.exit(f"refused: {error}")
