// An IPFS node on loopback: libp2p and bitswap, no discovery, no routing, and the RPC API on a free port. Prints one line of JSON with its
// addresses when it is up, and ends when its standard input does.
import { create } from 'ipfs-core'
import { HttpApi } from 'ipfs-http-server'

const ipfs = await create({
  repo: process.argv[2],
  silent: true,
  init: { emptyRepo: true, algorithm: 'Ed25519' },
  preload: { enabled: false },
  config: {
    Addresses: { Swarm: ['/ip4/127.0.0.1/tcp/0'], API: '/ip4/127.0.0.1/tcp/0', Gateway: '', RPC: '', Delegates: [], NoAnnounce: [] },
    Bootstrap: [],
    Discovery: { MDNS: { Enabled: false }, webRTCStar: { Enabled: false } },
    Routing: { Type: 'none' },
    Pubsub: { Enabled: false }
  }
})
const api = new HttpApi(ipfs)
await api.start()
const { addresses } = await ipfs.id()
console.log(JSON.stringify({ api: api._apiServers[0].info.uri, swarm: addresses.map(String) }))

process.stdin.resume()
process.stdin.on('end', () => process.exit(0)) // whoever started it is gone, and so is the use of its repository
