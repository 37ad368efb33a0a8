using System.Reflection;
using FedChain.Node.Peer;

namespace FedChain.Node.Tests.Peer;

public sealed class PeerEventTests
{
    public static TheoryData<Type> Kinds => [.. typeof(PeerEvent).GetNestedTypes().Where(t => t.IsSubclassOf(typeof(PeerEvent)))];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_event_is_a_line_of_json_that_can_be_read_back(Type kind)
    {
        var constructor = kind.GetConstructors(BindingFlags.Public | BindingFlags.Instance).MaxBy(c => c.GetParameters().Length)!;
        var e = (PeerEvent)constructor.Invoke([.. constructor.GetParameters().Select(p => ValueOf(p.ParameterType))]);
        var line = (e with { Member = 3 }).ToJson();
        Assert.DoesNotContain('\n', line);
        var read = PeerEvent.FromJson(line);
        Assert.IsType(kind, read);
        Assert.Equal(line, read.ToJson());
        Assert.Contains("member 3", read.ToString(), StringComparison.Ordinal);
    }

    private static object? ValueOf(Type type) =>
        type == typeof(string) ? "text"
        : type == typeof(IReadOnlyList<string>) ? new[] { "a", "b" }
        : Activator.CreateInstance(type);
}
