"""A regtest node whose judge is Bitcoin Core: every block goes through its chainstate, every input through its script
interpreter (py-bitcoinkernel). Around it stands what tests need: a miner, a pool, a watch-only wallet, and a JSON-RPC
server that answers in the forms of Bitcoin Core 28.

    node.py FOLDER      chain, cookie and nothing else in FOLDER; prints its address and serves until it is killed

Beside Bitcoin Core's calls there is `fork DEPTH SCRIPT`: it mines a longer branch from DEPTH blocks below the tip.
"""

import base64
import hashlib
import http.server
import json
import pathlib
import re
import secrets
import sys
import threading

import pbk

COIN = 100_000_000
MATURITY = 100
BITS = 0x207FFFFF
RELAY = 1_000  # satoshis per 1,000 virtual bytes
NULL = bytes(32)


class Rejected(Exception):
    """A JSON-RPC error of Bitcoin Core: its code and its words."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code, self.message = code, message


def sha256d(data):
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def shown(digest):
    return digest[::-1].hex()


def btc(sats):
    """Eight decimals; `as_json` takes mark and quotes away, so that no float comes between."""
    return f"@{sats // COIN}.{sats % COIN:08d}"


def as_json(value):
    return re.sub(r'"@(\d+\.\d{8})"', r"\1", json.dumps(value)).encode()


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        part = self.data[self.at : self.at + count]
        if len(part) != count:
            raise Rejected(-22, "TX decode failed. Make sure the tx has at least one input.")
        self.at += count
        return part

    def number(self, count):
        return int.from_bytes(self.take(count), "little")

    def compact(self):
        first = self.number(1)
        return first if first < 0xFD else self.number({0xFD: 2, 0xFE: 4, 0xFF: 8}[first])

    def text(self):
        return self.take(self.compact())


def compact(number):
    if number < 0xFD:
        return bytes([number])
    return b"\xfd" + number.to_bytes(2, "little") if number <= 0xFFFF else b"\xfe" + number.to_bytes(4, "little")


class Tx:
    """A transaction, taken apart."""

    def __init__(self, raw):
        self.raw = raw
        reader = Reader(raw)
        version = reader.take(4)
        segwit = raw[4:6] == b"\x00\x01"
        if segwit:
            reader.take(2)
        start = reader.at
        self.inputs = []
        for _ in range(reader.compact()):
            outpoint = (reader.take(32), reader.number(4))
            reader.text()
            self.inputs.append((outpoint, reader.number(4)))
        self.outputs = [(reader.number(8), reader.text()) for _ in range(reader.compact())]
        body = raw[start : reader.at]
        if segwit:
            for _ in self.inputs:
                for _ in range(reader.compact()):
                    reader.text()
        lock = reader.take(4)
        if reader.at != len(raw) or not self.inputs:
            raise Rejected(-22, "TX decode failed. Make sure the tx has at least one input.")
        stripped = version + body + lock
        self.txid, self.wtxid = sha256d(stripped), sha256d(raw)
        self.lock = int.from_bytes(lock, "little")
        self.vsize = (3 * len(stripped) + len(raw) + 3) // 4

    @property
    def is_coinbase(self):
        return self.inputs[0][0][0] == NULL

    @property
    def is_replaceable(self):
        return any(sequence < 0xFFFFFFFE for _, sequence in self.inputs)


def block_txs(raw):
    """The transactions of a block, cut by Bitcoin Core's own reader."""
    return [Tx(bytes(tx)) for tx in pbk.Block(raw).transactions]


def merkle(hashes):
    while len(hashes) > 1:
        if len(hashes) % 2:
            hashes = [*hashes, hashes[-1]]
        hashes = [sha256d(a + b) for a, b in zip(hashes[::2], hashes[1::2])]
    return hashes[0]


class Chain:
    """The kernel's chain, and an index of it that is always made from its blocks."""

    def __init__(self, folder):
        options = pbk.ContextOptions()
        options.set_chainparams(pbk.ChainParameters(pbk.ChainType.REGTEST))
        self.context = pbk.Context(options)
        manager = pbk.ChainstateManagerOptions(self.context, str(folder), str(folder / "blocks"))
        self.manager = pbk.ChainstateManager(manager)
        self.manager.import_blocks([])
        self.active = self.manager.get_active_chain()
        self.blocks = []
        self.follow()

    def entry(self, height):
        return self.active.block_tree_entries[height]

    @property
    def height(self):
        return len(self.blocks) - 1

    def follow(self):
        """Takes back what left the kernel's chain, takes in what joined it."""
        keep = 0
        while keep < min(len(self.blocks), len(self.active)):
            if bytes(self.entry(keep).block_hash) != self.blocks[keep]:
                break
            keep += 1
        if keep < len(self.blocks) or keep == 0:
            self.blocks, self.coins, self.txs = [], {}, {}
        for height in range(len(self.blocks), len(self.active)):
            entry = self.entry(height)
            self.blocks.append(bytes(entry.block_hash))
            if height:
                for tx in block_txs(bytes(self.manager.blocks[entry])):
                    self.take_in(tx, height)

    def take_in(self, tx, height):
        for outpoint, _ in tx.inputs:
            self.coins.pop(outpoint, None)
        for at, (amount, script) in enumerate(tx.outputs):
            if script[:1] != b"\x6a":
                self.coins[tx.txid, at] = (amount, script, height, tx.is_coinbase)
        self.txs[tx.txid] = (tx, height)

    def mine(self, parent, height, script, txs, fees, salt=0):
        """Finds a block and has the kernel judge it; what it says if it is refused."""
        raw = make_block(parent, height, script, txs, fees, salt)
        try:
            self.manager.process_block(pbk.Block(raw))
        except pbk.ProcessBlockException as refused:
            raise Rejected(-25, f"the kernel refuses the block: {refused}") from refused
        self.follow()
        return sha256d(raw[:80])


def make_block(parent, height, script, txs, fees, salt):
    coinbase = make_coinbase(height, script, txs, fees, salt)
    bare = Tx(coinbase)
    root = merkle([bare.txid, *(tx.txid for tx in txs)])
    head = (0x20000000).to_bytes(4, "little") + parent + root
    # One second after another from the first block on, so that a block is the same wherever it is mined.
    head += (1_296_688_602 + 600 * height + salt).to_bytes(4, "little") + BITS.to_bytes(4, "little")
    nonce = 0
    while int.from_bytes(sha256d(head + nonce.to_bytes(4, "little")), "little") > 0x7FFFFF << 232:
        nonce += 1
    body = compact(1 + len(txs)) + coinbase + b"".join(tx.raw for tx in txs)
    return head + nonce.to_bytes(4, "little") + body


def make_coinbase(height, script, txs, fees, salt):
    number = height.to_bytes((height.bit_length() + 8) // 8, "little")
    signature = (bytes([0x50 + height]) if height <= 16 else bytes([len(number)]) + number) + bytes([4]) + salt.to_bytes(4, "little")
    commitment = sha256d(merkle([NULL, *(tx.wtxid for tx in txs)]) + NULL)
    subsidy = (50 * COIN) >> (height // 150)
    pay = (subsidy + fees).to_bytes(8, "little") + compact(len(script)) + script
    committed = (0).to_bytes(8, "little") + b"\x26\x6a\x24\xaa\x21\xa9\xed" + commitment
    source = NULL + b"\xff" * 4 + compact(len(signature)) + signature + b"\xff" * 4
    return b"\x02\x00\x00\x00\x00\x01\x01" + source + b"\x02" + pay + committed + b"\x01\x20" + NULL + bytes(4)


class Pool:
    """Transactions that wait, by the rules of relaying that matter here: minimum fee and BIP 125."""

    def __init__(self, chain):
        self.chain, self.txs, self.fees = chain, {}, {}

    def coin(self, outpoint):
        waiting = self.txs.get(outpoint[0])
        if waiting and outpoint[1] < len(waiting.outputs):
            return (*waiting.outputs[outpoint[1]], None, False)
        return self.chain.coins.get(outpoint)

    def spender(self, outpoint):
        return next((tx for tx in self.txs.values() if any(outpoint == spent for spent, _ in tx.inputs)), None)

    def judge(self, tx):
        """The fee, and the transactions that it replaces."""
        if tx.is_coinbase:
            raise Rejected(-26, "coinbase")
        if self.chain.txs.get(tx.txid) and any((tx.txid, at) in self.chain.coins for at in range(len(tx.outputs))):
            raise Rejected(-27, "Transaction outputs already in utxo set")
        if tx.lock and (tx.lock >= 500_000_000 or tx.lock > self.chain.height):
            raise Rejected(-26, "non-final")
        coins = [self.coin(outpoint) for outpoint, _ in tx.inputs]
        if None in coins or len({outpoint for outpoint, _ in tx.inputs}) != len(tx.inputs):
            raise Rejected(-25, "bad-txns-inputs-missingorspent")
        if any(base and self.chain.height + 1 - height < MATURITY for _, _, height, base in coins):
            raise Rejected(-26, "bad-txns-premature-spend-of-coinbase")
        fee = sum(coin[0] for coin in coins) - sum(amount for amount, _ in tx.outputs)
        if fee < 0:
            raise Rejected(-26, "bad-txns-in-belowout")
        self.judge_scripts(tx, coins)
        if fee * 1000 < RELAY * tx.vsize:
            raise Rejected(-26, f"min relay fee not met, {fee} < {RELAY * tx.vsize // 1000}")
        return fee, self.judge_conflicts(tx, fee)

    def judge_scripts(self, tx, coins):
        kernel = pbk.Transaction(tx.raw)
        spent = [pbk.TransactionOutput(pbk.ScriptPubkey(script), amount) for amount, script, _, _ in coins]
        data = pbk.script.PrecomputedTransactionData(kernel, spent)
        for at, (amount, script, _, _) in enumerate(coins):
            if not pbk.ScriptPubkey(script).verify(amount, kernel, data, at, pbk.ScriptVerificationFlags.ALL):
                raise Rejected(-26, f"mandatory-script-verify-flag-failed (input {at})")

    def judge_conflicts(self, tx, fee):
        replaced = {other.txid: other for outpoint, _ in tx.inputs if (other := self.spender(outpoint))}
        for other in replaced.values():
            if not other.is_replaceable:
                raise Rejected(-26, "txn-mempool-conflict")
            if fee * other.vsize <= self.fees[other.txid] * tx.vsize:
                raise Rejected(-26, f"insufficient fee, rejecting replacement {shown(tx.txid)}; new feerate <= old feerate")
        gone = self.with_children(replaced)
        least = sum(self.fees[txid] for txid in gone)
        if gone and fee < least + RELAY * tx.vsize // 1000:
            raise Rejected(-26, f"insufficient fee, rejecting replacement {shown(tx.txid)}, less fees than conflicting txs")
        return gone

    def with_children(self, txids):
        gone = set(txids)
        while more := {tx.txid for tx in self.txs.values() if any(spent[0] in gone for spent, _ in tx.inputs)} - gone:
            gone |= more
        return gone

    def add(self, tx):
        if tx.txid in self.txs:
            return
        fee, gone = self.judge(tx)
        self.drop(gone)
        self.txs[tx.txid], self.fees[tx.txid] = tx, fee

    def drop(self, txids):
        for txid in list(txids):
            self.txs.pop(txid, None)
            self.fees.pop(txid, None)

    def follow(self, returned=()):
        """After a new block: what it took leaves, what it took the inputs of, too; what a branch gave back returns."""
        waiting = [*returned, *self.txs.values()]
        self.txs, self.fees = {}, {}
        for tx in waiting:
            try:
                self.add(tx)
            except Rejected:
                pass


class Node:
    """The calls, each under its name in Bitcoin Core."""

    def __init__(self, folder):
        self.chain = Chain(folder)
        self.pool = Pool(self.chain)
        self.watched, self.known = {}, {}

    # The chain.

    def getblockhash(self, height):
        if not 0 <= height <= self.chain.height:
            raise Rejected(-8, "Block height out of range")
        return shown(self.chain.blocks[height])

    def getblockcount(self):
        return self.chain.height

    def getblockchaininfo(self):
        height = self.chain.height
        return {
            "chain": "regtest",
            "blocks": height,
            "headers": height,
            "bestblockhash": self.getblockhash(height),
            "bits": f"{BITS:08x}",
            "verificationprogress": 1,
            "initialblockdownload": False,
            "pruned": False,
            "warnings": [],
        }

    def gettxout(self, txid, at, include_mempool=True):
        outpoint = (bytes.fromhex(txid)[::-1], at)
        coin = self.pool.coin(outpoint) if include_mempool else self.chain.coins.get(outpoint)
        if coin is None or (include_mempool and self.pool.spender(outpoint)):
            return None
        amount, script, height, base = coin
        return {
            "bestblock": self.getblockhash(self.chain.height),
            "confirmations": self.confirmations(height),
            "value": btc(amount),
            "scriptPubKey": {"asm": "", "hex": script.hex(), "type": "nonstandard"},
            "coinbase": base,
        }

    def confirmations(self, height):
        return 0 if height is None else self.chain.height + 1 - height

    def find(self, txid):
        txid = bytes.fromhex(txid)[::-1]
        if found := self.chain.txs.get(txid):
            return found
        waiting = self.pool.txs.get(txid)
        return (waiting, None) if waiting else None

    def getrawtransaction(self, txid, verbose=False):
        found = self.find(txid)
        if not found:
            raise Rejected(-5, "No such mempool or blockchain transaction. Use gettransaction for wallet transactions.")
        return found[0].raw.hex() if not verbose else {"txid": txid, "hex": found[0].raw.hex()}

    def getblock(self, block, verbosity=1):
        """As Bitcoin Core shows it: 1 with ids, 3 with transactions and what their inputs spend (`prevout`)."""
        digest = bytes.fromhex(block)[::-1]
        if digest not in self.chain.blocks:
            raise Rejected(-5, "Block not found")
        height = self.chain.blocks.index(digest)
        txs = [tx for tx, mined in self.chain.txs.values() if mined == height]
        shows = self.shown_tx if verbosity > 2 else lambda tx: shown(tx.txid)
        return {"hash": block, "height": height, "nTx": len(txs), "tx": [shows(tx) for tx in txs]}

    def shown_tx(self, tx):
        spent = [] if tx.is_coinbase else [self.output(outpoint) for outpoint, _ in tx.inputs]
        made = [shown_output(at, *output) for at, output in enumerate(tx.outputs)]
        return {"txid": shown(tx.txid), "vin": [{"prevout": output} for output in spent], "vout": made}

    def output(self, outpoint):
        return shown_output(outpoint[1], *self.chain.txs[outpoint[0]][0].outputs[outpoint[1]])

    def scantxoutset(self, action, descriptors):
        """What the chain has, unspent, of scripts that nobody watches."""
        scripts = {script_of(descriptor) for descriptor in descriptors}
        found = [coin[0] for coin in self.chain.coins.values() if coin[1] in scripts]
        return {"success": action == "start", "height": self.chain.height, "total_amount": btc(sum(found))}

    # The pool.

    def sendrawtransaction(self, raw, maxfeerate=None):
        tx = parse(raw)
        self.pool.add(tx)
        self.known[tx.txid] = tx
        return shown(tx.txid)

    def testmempoolaccept(self, raws, maxfeerate=None):
        return [self.test(parse(raw)) for raw in raws]

    def test(self, tx):
        said = {"txid": shown(tx.txid), "wtxid": shown(tx.wtxid)}
        try:
            fee, _ = self.pool.judge(tx)
        except Rejected as rejected:
            return {**said, "allowed": False, "reject-reason": rejected.message}
        return {**said, "allowed": True, "vsize": tx.vsize, "fees": {"base": btc(fee)}}

    def getrawmempool(self):
        return [shown(txid) for txid in self.pool.txs]

    def getmempoolentry(self, txid):
        tx = self.pool.txs.get(bytes.fromhex(txid)[::-1])
        if not tx:
            raise Rejected(-5, "Transaction not in mempool")
        return {"vsize": tx.vsize, "fees": {"base": btc(self.pool.fees[tx.txid])}, "bip125-replaceable": tx.is_replaceable}

    def getmempoolinfo(self):
        least = btc(RELAY)
        return {"loaded": True, "size": len(self.pool.txs), "mempoolminfee": least, "minrelaytxfee": least, "incrementalrelayfee": least}

    def estimatesmartfee(self, target, mode=None):
        return {"errors": ["Insufficient data or no feerate found"], "blocks": target}

    # The wallet, which watches.

    def getdescriptorinfo(self, descriptor):
        script_of(descriptor)
        return {"descriptor": f"{descriptor}#00000000", "isrange": False, "issolvable": False, "hasprivatekeys": False}

    def importdescriptors(self, requests):
        for request in requests:
            self.watched[script_of(request["desc"].split("#")[0])] = True
        return [{"success": True} for _ in requests]

    def listunspent(self, least=1, most=9999999, addresses=(), include_unsafe=True, query=None):
        from_sats = int((query or {}).get("minimumAmount", "0").replace(".", ""))
        found = [outpoint for outpoint in self.chain.coins if self.is_listed(outpoint, least, most)]
        return [self.listed(outpoint) for outpoint in found if self.chain.coins[outpoint][0] >= from_sats]

    def is_listed(self, outpoint, least, most):
        _, script, height, base = self.chain.coins[outpoint]
        deep = self.confirmations(height)
        mature = not base or deep > MATURITY
        return script in self.watched and least <= deep <= most and mature and not self.pool.spender(outpoint)

    def listed(self, outpoint):
        amount, script, height, _ = self.chain.coins[outpoint]
        return {
            "txid": shown(outpoint[0]),
            "vout": outpoint[1],
            "scriptPubKey": script.hex(),
            "amount": btc(amount),
            "confirmations": self.confirmations(height),
            "spendable": True,
            "solvable": False,
            "safe": True,
        }

    def gettransaction(self, txid, include_watchonly=None):
        found = self.find(txid)
        tx, height = found or (self.known.get(bytes.fromhex(txid)[::-1]), None)
        if tx is None:
            raise Rejected(-5, "Invalid or non-wallet transaction id")
        said = {"amount": btc(0), "txid": txid, "wtxid": shown(tx.wtxid), "hex": tx.raw.hex(), "details": []}
        if height is None:
            return {**said, "confirmations": 0 if found else -self.conflict(tx), "trusted": False}
        block = {"blockhash": self.getblockhash(height), "blockheight": height, "blockindex": 1}
        return {**said, "confirmations": self.confirmations(height), **block}

    def conflict(self, tx):
        """How deep what has spent an input of it is in the chain; 0 if nothing has."""
        spent = {outpoint for outpoint, _ in tx.inputs}
        others = (height for other, height in self.chain.txs.values() if spent & {outpoint for outpoint, _ in other.inputs})
        return max(map(self.confirmations, others), default=0)

    # The miner.

    def generatetodescriptor(self, count, descriptor):
        script = script_of(descriptor.split("#")[0])
        return [shown(self.mine(script)) for _ in range(count)]

    def mine(self, script):
        chain, txs = self.chain, list(self.pool.txs.values())
        found = chain.mine(chain.blocks[-1], chain.height + 1, script, txs, sum(self.pool.fees.values()))
        self.pool.follow()
        return found

    def fork(self, depth, descriptor, raws=()):
        """A branch from below the tip that is one block longer than the chain, with these transactions in its first block."""
        script, chain = script_of(descriptor), self.chain
        start = chain.height - depth
        parent, first = chain.blocks[start], [parse(raw) for raw in raws]
        returned = [tx for tx, height in chain.txs.values() if height > start and not tx.is_coinbase]
        for height in range(start + 1, start + depth + 2):
            parent = chain.mine(parent, height, script, first if height == start + 1 else [], 0, salt=1)
        if chain.blocks[-1] != parent:
            raise Rejected(-25, "the kernel does not follow the branch")
        self.pool.follow(returned)
        return shown(parent)

    def mineraw(self, raws, descriptor):
        """Mines these transactions past the pool: the kernel alone judges them."""
        chain = self.chain
        found = chain.mine(chain.blocks[-1], chain.height + 1, script_of(descriptor), [parse(raw) for raw in raws], 0)
        if chain.blocks[-1] != found:
            raise Rejected(-25, "bad block: the kernel does not take it into its chain")
        self.pool.follow()
        return shown(found)


def parse(raw):
    try:
        tx = Tx(bytes.fromhex(raw))
        pbk.Transaction(tx.raw)
        return tx
    except (ValueError, RuntimeError) as error:
        raise Rejected(-22, "TX decode failed. Make sure the tx has at least one input.") from error


def shown_output(at, amount, script):
    return {"n": at, "value": btc(amount), "scriptPubKey": {"hex": script.hex()}}


def script_of(descriptor):
    if not (descriptor.startswith("raw(") and descriptor.endswith(")")):
        raise Rejected(-5, f"'{descriptor}' is not a valid descriptor function")
    return bytes.fromhex(descriptor[4:-1])


INNER = {"find", "test", "listed", "is_listed", "confirmations", "conflict", "mine", "shown_tx", "output"}
CALLS = {name for name in vars(Node) if name not in INNER and name[0] != "_"}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # An answer is one write, and goes at once: head and body apart wait for each other's acknowledgement.
    wbufsize, disable_nagle_algorithm = -1, True
    node = cookie = None
    turn = threading.Lock()  # calls are answered one after the other

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        wanted = "Basic " + base64.b64encode(self.cookie.encode()).decode()
        if not secrets.compare_digest(self.headers.get("Authorization", ""), wanted):
            return self.say(401, b"")
        asked = json.loads(body)
        with self.turn:
            answer = [self.answer(one) for one in asked] if isinstance(asked, list) else self.answer(asked)
        return self.say(200, as_json(answer))

    def answer(self, asked):
        said = {"jsonrpc": "2.0", "id": asked["id"]}
        try:
            if asked["method"] not in CALLS:
                raise Rejected(-32601, "Method not found")
            return {**said, "result": getattr(self.node, asked["method"])(*asked["params"])}
        except Rejected as error:
            return {**said, "error": {"code": error.code, "message": error.message}}
        except Exception as error:  # a wrong parameter; Bitcoin Core answers those, too
            return {**said, "error": {"code": -1, "message": repr(error)}}

    def say(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    folder = pathlib.Path(sys.argv[1])
    Handler.node = Node(folder)
    Handler.cookie = "__cookie__:" + secrets.token_hex(32)
    cookie = folder / ".cookie"
    cookie.touch(mode=0o600)
    cookie.write_text(Handler.cookie)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


main()
