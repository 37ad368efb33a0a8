namespace FedChain.Node;

/// <summary>A failure that the person at the keyboard can mend; its message says what was expected, what came and what to do. Shown without a stack trace.</summary>
public sealed class UserErrorException(string message, Exception? innerException = null) : Exception(message, innerException);
