namespace FedChain.Protocol.Envelope;

/// <summary>Fills a span with random bytes. Internal, so that only tests can inject anything but the operating system's source.</summary>
internal delegate void RandomFill(Span<byte> destination);
