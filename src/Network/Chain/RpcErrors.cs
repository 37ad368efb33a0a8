namespace FedChain.Network.Chain;

/// <summary>What nodes mean by their errors: the codes are hardly standardised, the texts less.</summary>
internal static class RpcErrors
{
    private const int LimitExceeded = -32005;

    public static bool IsTransient(int code, string message) =>
        code == 429 || Says(message, "rate limit", "too many requests", "capacity", "header not found", "timeout", "timed out", "try again", "temporarily")
        || (code == LimitExceeded && Says(message, "request"));

    /// <summary>Whether less of the same would be answered; such an error may look transient too.</summary>
    public static bool IsTooMuch(int code, string message) =>
        code == LimitExceeded || Says(
            message, "block range", "range is too", "too wide", "more than", "too large", "too many results", "too many blocks", "too many logs", "maximum block", "max block",
            "query returned", "query timeout", "query exceeds", "response size", "limited to");

    public static bool IsKnown(ChainException e) => Says(e.Message, "already known", "already imported", "known transaction");

    public static bool IsNonceTooLow(ChainException e) => Says(e.Message, "nonce too low", "nonce is too low", "old nonce", "invalid nonce", "expected nonce");

    public static bool IsUnderpriced(ChainException e) => Says(e.Message, "underpriced", "fee too low");

    public static bool IsInsufficientFunds(ChainException e) => Says(e.Message, "insufficient funds", "enough funds", "insufficient balance");

    private static bool Says(string message, params ReadOnlySpan<string> parts)
    {
        foreach (var part in parts)
        {
            if (message.Contains(part, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }
}
