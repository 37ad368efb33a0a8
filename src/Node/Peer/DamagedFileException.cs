namespace FedChain.Node.Peer;

/// <summary>A file of the home holds what nobody wrote there; it was put aside. Whoever needs it tries again, and it is made or fetched anew.</summary>
public sealed class DamagedFileException(string message) : Exception(message);
