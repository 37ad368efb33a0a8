using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using FedChain.Protocol;

namespace FedChain.Node.Study;

/// <summary>Seeds that are independent of each other and the same on every machine.</summary>
internal static class StudySeed
{
    public static Hash256 Hash(ulong seed, string purpose) => new(SHA256.HashData(Encoding.UTF8.GetBytes($"fedchain/study|{seed}|{purpose}")));

    public static ulong Of(ulong seed, string purpose) => BinaryPrimitives.ReadUInt64BigEndian(Hash(seed, purpose).ToArray());
}
