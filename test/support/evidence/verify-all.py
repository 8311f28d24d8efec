"""Runs docs/verify-proof.py on many proofs in one process: VERIFIER WITNESS, and the files' names on stdin; prints a line of JSON for each."""
import importlib.util, json, sys

spec = importlib.util.spec_from_file_location("verify_proof", sys.argv[1])
verifier = importlib.util.module_from_spec(spec)
spec.loader.exec_module(verifier)
witness = open(sys.argv[2], "rb").read()
for path in sys.stdin.read().split():
    try:
        print(json.dumps({"proved": verifier.check(open(path, "rb").read(), witness)}))
    except verifier.REFUSALS as error:
        print(json.dumps({"refused": str(error)}))
