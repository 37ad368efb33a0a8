// Reads a file and a block from a trustless gateway with Helia, which is given no other way to get them, and a CAR with @ipld/car, each block
// of which is held against its CID. Prints one line of JSON with what it has read.
import { createHash } from 'node:crypto'
import { trustlessGateway } from '@helia/block-brokers'
import { createHeliaHTTP } from '@helia/http'
import { httpGatewayRouting } from '@helia/routers'
import { unixfs } from '@helia/unixfs'
import { CarReader } from '@ipld/car'
import { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'

const [gateway, fileCid, blockCid] = process.argv.slice(2)
const sha = bytes => createHash('sha256').update(bytes).digest('hex')
const collect = async source => {
  const parts = []
  for await (const part of source) {
    parts.push(part)
  }
  return Buffer.concat(parts)
}

const helia = await createHeliaHTTP({
  blockBrokers: [trustlessGateway({ allowInsecure: true, allowLocal: true })],
  routers: [httpGatewayRouting({ gateways: [gateway] })]
})
const signal = AbortSignal.timeout(120_000)
let said
try {
  const file = await collect(unixfs(helia).cat(CID.parse(fileCid), { signal }))
  const block = await collect(helia.blockstore.get(CID.parse(blockCid), { signal }))

  const response = await fetch(`${gateway}/ipfs/${fileCid}?format=car`, { headers: { accept: 'application/vnd.ipld.car' }, signal })
  const car = await CarReader.fromBytes(new Uint8Array(await response.arrayBuffer()))
  const blocks = []
  for await (const { cid, bytes } of car.blocks()) {
    const digest = await sha256.digest(bytes)
    blocks.push({ cid: cid.toString(), bytes: bytes.length, whole: Buffer.from(digest.bytes).equals(Buffer.from(cid.multihash.bytes)) })
  }
  said = {
    file: { bytes: file.length, sha256: sha(file) },
    block: { bytes: block.length, sha256: sha(block) },
    car: { status: response.status, roots: (await car.getRoots()).map(String), blocks }
  }
} catch (e) {
  said = { error: String(e.stack ?? e) + (e.errors ? '\n' + e.errors.map(String).join('\n') : '') }
}
console.log(JSON.stringify(said))
process.exit(0) // libp2p would keep it
