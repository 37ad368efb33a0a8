namespace FedChain.Protocol.Content;

/// <summary>The text encodings of a CID that are read and written (github.com/multiformats/multibase); the value is the prefix character.</summary>
public enum CidBase
{
    Base16 = 'f',
    Base16Upper = 'F',
    Base32 = 'b',
    Base32Upper = 'B',
    Base36 = 'k',
    Base36Upper = 'K',
    Base58Btc = 'z',
    Base64 = 'm',
    Base64Url = 'u',
}
