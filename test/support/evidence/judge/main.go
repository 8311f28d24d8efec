// Judges trees and proofs from stdin, a JSON object a line, with the library of Certificate Transparency
// and the notes of Go's checksum database. Prints "ok" or an error for each.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
)

// Claim is a path from a leaf to a root, the root of all leaves, or a signed note.
type Claim struct {
	Index, Size uint64
	Leaf, Root  []byte
	Path        [][]byte
	Leaves      [][]byte
	Note, Key   string
}

func (claim Claim) judge() error {
	switch {
	case claim.Note != "":
		verifier, err := note.NewVerifier(claim.Key)
		if err != nil {
			return err
		}
		_, err = note.Open([]byte(claim.Note), note.VerifierList(verifier))
		return err
	case claim.Leaves != nil:
		tree := (&compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}).NewEmptyRange(0)
		for _, leaf := range claim.Leaves {
			if err := tree.Append(leaf, nil); err != nil {
				return err
			}
		}
		root, err := tree.GetRootHash(nil)
		if err == nil && string(root) != string(claim.Root) {
			err = fmt.Errorf("the root is %x", root)
		}
		return err
	default:
		return proof.VerifyInclusion(rfc6962.DefaultHasher, claim.Index, claim.Size, claim.Leaf,
			claim.Path, claim.Root)
	}
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var claim Claim
		err := json.Unmarshal(lines.Bytes(), &claim)
		if err == nil {
			err = claim.judge()
		}
		if err == nil {
			fmt.Println("ok")
		} else {
			fmt.Printf("%q\n", err.Error())
		}
	}
}
