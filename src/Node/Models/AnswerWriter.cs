using System.Runtime.InteropServices;

namespace FedChain.Node.Models;

internal delegate string TokenDecoder(ReadOnlySpan<int> ids);

/// <summary>Shows an answer token by token: a character once all of its bytes are there.</summary>
internal sealed class AnswerWriter(TextWriter output, TokenDecoder decode)
{
    private readonly List<int> _ids = [];

    /// <summary>What was shown.</summary>
    public string Text { get; private set; } = "";

    public void Add(int id)
    {
        _ids.Add(id);
        var whole = decode(CollectionsMarshal.AsSpan(_ids)).TrimEnd('\uFFFD');
        if (whole.Length > Text.Length)
        {
            output.Write(whole[Text.Length..]);
            output.Flush();
            Text = whole;
        }
    }
}
