// Checks a log directory with Go's own transparency log packages (golang.org/x/mod/sumdb).
//
//	verify DIR VKEY [OLD_SIZE]
//
// DIR is laid out as C2SP tlog-tiles says: checkpoint, tile/. VKEY is the log's key as text, or a
// file that holds it. Checked are the checkpoint's signature (type 1), every tile against the
// entries, the inclusion of every entry, and consistency with the tree of OLD_SIZE, whose signed
// checkpoint is compared too where DIR has it as checkpoint.OLD_SIZE.
//
// Prints one line. Exits with 1 where anything is wrong, with 2 where it was called wrongly.
package main

import (
	"bytes"
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

const (
	tileHeight    = 8
	tileWidth     = 1 << tileHeight
	maxEntryBytes = 60_000
)

func main() {
	if len(os.Args) < 3 || len(os.Args) > 4 {
		fmt.Fprintln(os.Stderr, "usage: verify DIR VKEY [OLD_SIZE]")
		os.Exit(2)
	}
	report, err := verify(os.Args[1], os.Args[2], os.Args[3:])
	if err != nil {
		fmt.Println("FAILED:", err)
		os.Exit(1)
	}
	fmt.Println("ok:", report)
}

func verify(dir, vkey string, older []string) (string, error) {
	if text, err := os.ReadFile(vkey); err == nil {
		vkey = string(text)
	}
	key, err := note.NewVerifier(strings.TrimSpace(vkey))
	if err != nil {
		return "", fmt.Errorf("log key: %w", err)
	}
	tree, err := readCheckpoint(filepath.Join(dir, "checkpoint"), key)
	if err != nil {
		return "", err
	}
	log, err := rebuild(dir, tree.N)
	if err != nil {
		return "", err
	}
	if err := checkRoot(log, tree); err != nil {
		return "", fmt.Errorf("entries: %w", err)
	}
	tiles, err := checkTiles(dir, log, tree.N)
	if err != nil {
		return "", err
	}
	if err := checkInclusion(log, tree); err != nil {
		return "", err
	}
	report := fmt.Sprintf("%s size %d, %d tiles", key.Name(), tree.N, tiles)
	if len(older) == 0 {
		return report, nil
	}
	if err := checkConsistency(dir, log, tree, older[0], key); err != nil {
		return "", err
	}
	return report + ", consistent with size " + older[0], nil
}

func readCheckpoint(path string, key note.Verifier) (tlog.Tree, error) {
	message, err := os.ReadFile(path)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(message, note.VerifierList(key))
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("%s: %w", path, err)
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != key.Name() {
		return tlog.Tree{}, fmt.Errorf("%s: not a checkpoint of %s", path, key.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return tlog.Tree{}, fmt.Errorf("%s: bad size %q", path, lines[1])
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tlog.Tree{}, fmt.Errorf("%s: bad root %q", path, lines[2])
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	return tree, nil
}

// hashes is every hash of a tree, in the order in which Go numbers them.
type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	read := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(h)) {
			return nil, fmt.Errorf("hash %d is outside the tree", index)
		}
		read[i] = h[index]
	}
	return read, nil
}

// rebuild hashes every entry of the bundles.
func rebuild(dir string, size int64) (hashes, error) {
	var log hashes
	for first := int64(0); first < size; first += tileWidth {
		width := size - first
		if width > tileWidth {
			width = tileWidth
		}
		tile := tlog.Tile{H: tileHeight, L: -1, N: first / tileWidth, W: int(width)}
		bundle, err := readTile(dir, tile)
		if err != nil {
			return nil, err
		}
		for i := int64(0); i < width; i++ {
			var entry []byte
			if entry, bundle, err = takeEntry(bundle); err != nil {
				return nil, fmt.Errorf("entry %d: %w", first+i, err)
			}
			stored, err := tlog.StoredHashes(first+i, entry, log)
			if err != nil {
				return nil, err
			}
			log = append(log, stored...)
		}
		if len(bundle) != 0 {
			return nil, fmt.Errorf("%s: bytes after the last entry", path(tile))
		}
	}
	return log, nil
}

func takeEntry(bundle []byte) (entry, rest []byte, err error) {
	if len(bundle) < 2 {
		return nil, nil, errors.New("the bundle ends before it")
	}
	length := int(binary.BigEndian.Uint16(bundle))
	if bundle = bundle[2:]; length > len(bundle) {
		return nil, nil, errors.New("the bundle ends inside it")
	}
	if length > maxEntryBytes {
		return nil, nil, fmt.Errorf("%d bytes are too many", length)
	}
	return bundle[:length], bundle[length:], nil
}

func checkRoot(log tlog.HashReader, tree tlog.Tree) error {
	if tree.N == 0 {
		// Go's tlog has no hash of the empty tree.
		return nil
	}
	root, err := tlog.TreeHash(tree.N, log)
	if err != nil {
		return err
	}
	if root != tree.Hash {
		return fmt.Errorf("the root at size %d is %v, the checkpoint says %v", tree.N, root, tree.Hash)
	}
	return nil
}

func checkTiles(dir string, log tlog.HashReader, size int64) (int, error) {
	checked := 0
	for _, tile := range tlog.NewTiles(tileHeight, 0, size) {
		if isPassing(tile, size) {
			continue
		}
		stored, err := readTile(dir, tile)
		if err != nil {
			return 0, err
		}
		computed, err := tlog.ReadTileData(tile, log)
		if err != nil {
			return 0, err
		}
		if !bytes.Equal(stored, computed) {
			return 0, fmt.Errorf("%s does not hold the hashes of its entries", path(tile))
		}
		checked++
	}
	return checked, nil
}

// isPassing says whether the tile is a narrower form of one that the tree has: Go names every width
// on the way.
func isPassing(tile tlog.Tile, size int64) bool {
	inRow := size >> (tileHeight * tile.L)
	return tile.N*tileWidth+int64(tile.W) < inRow && tile.W < tileWidth
}

func checkInclusion(log tlog.HashReader, tree tlog.Tree) error {
	for index := int64(0); index < tree.N; index++ {
		leaf, err := log.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
		if err != nil {
			return err
		}
		proof, err := tlog.ProveRecord(tree.N, index, log)
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf[0]); err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
	}
	return nil
}

func checkConsistency(dir string, log hashes, tree tlog.Tree, size string, key note.Verifier) error {
	n, err := strconv.ParseInt(size, 10, 64)
	if err != nil || n < 1 || n > tree.N {
		return fmt.Errorf("old size %q is not from 1 to %d", size, tree.N)
	}
	root, err := tlog.TreeHash(n, log)
	if err != nil {
		return err
	}
	old := tlog.Tree{N: n, Hash: root}
	signed := filepath.Join(dir, "checkpoint."+size)
	if _, err := os.Stat(signed); err == nil {
		if old, err = readCheckpoint(signed, key); err != nil {
			return err
		}
	}
	// Proved from the stored tiles themselves, which Go authenticates against the root again.
	proof, err := tlog.ProveTree(tree.N, n, tlog.TileHashReader(tree, tileReader(dir)))
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash); err != nil {
		return fmt.Errorf("not consistent with size %d: %w", n, err)
	}
	if old.Hash != root || old.N != n {
		return fmt.Errorf("checkpoint.%s is of another tree", size)
	}
	return nil
}

type tileReader string

func (tileReader) Height() int { return tileHeight }

func (tileReader) SaveTiles([]tlog.Tile, [][]byte) {}

func (dir tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	read := make([][]byte, len(tiles))
	for i, tile := range tiles {
		data, err := readTile(string(dir), tile)
		if err != nil {
			return nil, err
		}
		read[i] = data
	}
	return read, nil
}

// path is Go's, without the tile height that C2SP leaves out, and with its name for bundles.
func path(tile tlog.Tile) string {
	rest := strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", tileHeight))
	return "tile/" + strings.Replace(rest, "data/", "entries/", 1)
}

func readTile(dir string, tile tlog.Tile) ([]byte, error) {
	return os.ReadFile(filepath.Join(dir, path(tile)))
}
