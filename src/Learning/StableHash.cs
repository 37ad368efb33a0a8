namespace FedChain.Learning;

/// <summary>FNV-1a: the same number for a name in every process and version, which string.GetHashCode doesn't promise.</summary>
internal static class StableHash
{
    public static ulong Of(string name) => name.Aggregate(14695981039346656037UL, (hash, c) => (hash ^ c) * 1099511628211UL);
}
