// Verify audits a log of static files with Go's own sumdb packages.
//
// Usage: verify DIRECTORY
//
// The directory holds checkpoint, checkpoint.old, vkey (the log's), witness.vkey, and the tiles and
// entry bundles of C2SP tlog-tiles. It prints one line and exits 0 when all of it agrees.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const tileHeight = 8

// files reads tiles from a directory; their paths there do not name the height.
type files struct{ directory string }

func (f files) Height() int { return tileHeight }

func (f files) SaveTiles([]tlog.Tile, [][]byte) {}

func (f files) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		path := strings.TrimPrefix(tile.Path(), "tile/8/")
		data, err := os.ReadFile(filepath.Join(f.directory, "tile", path))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

// cosignature verifies cosignature/v1 (C2SP tlog-cosignature), which the note package lacks.
type cosignature struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (c cosignature) Name() string    { return c.name }
func (c cosignature) KeyHash() uint32 { return c.hash }

func (c cosignature) Verify(text, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	header := fmt.Sprintf("cosignature/v1\ntime %d\n", binary.BigEndian.Uint64(signature))
	return ed25519.Verify(c.key, append([]byte(header), text...), signature[8:])
}

func newCosignature(vkey string) (note.Verifier, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, errors.New("witness key has not three parts")
	}
	material, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(material) != 33 || material[0] != 4 {
		return nil, errors.New("witness key is not of type 4")
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), material...))
	hash := binary.BigEndian.Uint32(sum[:])
	if fmt.Sprintf("%08x", hash) != parts[1] {
		return nil, errors.New("witness key has another id")
	}
	return cosignature{parts[0], hash, material[1:]}, nil
}

// open verifies a checkpoint by the log and the witness, and reads its tree.
func open(path string, verifiers ...note.Verifier) (tlog.Tree, error) {
	signed, err := os.ReadFile(path)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(signed, note.VerifierList(verifiers...))
	if err != nil {
		return tlog.Tree{}, err
	}
	if len(opened.Sigs) != len(verifiers) {
		return tlog.Tree{}, fmt.Errorf("%d of %d keys signed", len(opened.Sigs), len(verifiers))
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifiers[0].Name() {
		return tlog.Tree{}, errors.New("checkpoint is not origin, size and root")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// entries reads the bundle that begins at the given index.
func entries(directory string, first, size int64) ([][]byte, error) {
	width := size - first
	if width > 256 {
		width = 256
	}
	tile := tlog.Tile{H: tileHeight, L: -1, N: first / 256, W: int(width)}
	path := strings.TrimPrefix(tile.Path(), "tile/8/data/")
	data, err := os.ReadFile(filepath.Join(directory, "tile", "entries", path))
	if err != nil {
		return nil, err
	}
	var all [][]byte
	for len(data) > 0 {
		if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
			return nil, errors.New("bundle ends within an entry")
		}
		end := 2 + int(binary.BigEndian.Uint16(data))
		all = append(all, data[2:end])
		data = data[end:]
	}
	if int64(len(all)) != width {
		return nil, errors.New("bundle has another number of entries")
	}
	return all, nil
}

// audit compares every entry with its hash in the tree, and proves some of them.
func audit(directory string, tree tlog.Tree, reader tlog.HashReader) error {
	for first := int64(0); first < tree.N; first += 256 {
		bundle, err := entries(directory, first, tree.N)
		if err != nil {
			return err
		}
		var indexes []int64
		for n := range bundle {
			indexes = append(indexes, tlog.StoredHashIndex(0, first+int64(n)))
		}
		hashes, err := reader.ReadHashes(indexes)
		if err != nil {
			return err
		}
		for n, entry := range bundle {
			hash := tlog.RecordHash(entry)
			if !bytes.Equal(hash[:], hashes[n][:]) {
				return fmt.Errorf("entry %d has another hash", first+int64(n))
			}
		}
		index, hash := first, tlog.RecordHash(bundle[0])
		proof, err := tlog.ProveRecord(tree.N, index, reader)
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, hash); err != nil {
			return err
		}
	}
	return nil
}

func verify(directory string) (string, error) {
	read := func(name string) string {
		text, _ := os.ReadFile(filepath.Join(directory, name))
		return strings.TrimSpace(string(text))
	}
	log, err := note.NewVerifier(read("vkey"))
	if err != nil {
		return "", err
	}
	witness, err := newCosignature(read("witness.vkey"))
	if err != nil {
		return "", err
	}
	tree, err := open(filepath.Join(directory, "checkpoint"), log, witness)
	if err != nil {
		return "", fmt.Errorf("checkpoint: %w", err)
	}
	old, err := open(filepath.Join(directory, "checkpoint.old"), log, witness)
	if err != nil {
		return "", fmt.Errorf("checkpoint.old: %w", err)
	}
	reader := tlog.TileHashReader(tree, files{directory})
	if err := audit(directory, tree, reader); err != nil {
		return "", err
	}
	proof, err := tlog.ProveTree(tree.N, old.N, reader)
	if err != nil {
		return "", err
	}
	if err := tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash); err != nil {
		return "", err
	}
	return fmt.Sprintf("ok %d %d %s", old.N, tree.N, tree.Hash), nil
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: verify DIRECTORY")
		os.Exit(2)
	}
	line, err := verify(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
	fmt.Println(line)
}
