using System.Security.Cryptography;
using CsCheck;
using FedChain.Protocol.Files;
using FedChain.Protocol.Numerics;

namespace FedChain.Protocol.Tests.Files;

public sealed class StateFileTests
{
    [Fact]
    public void A_state_is_the_same_after_a_trip_through_its_file() =>
        Gen.Select(Gen.Enum<StateKind>(), Adapters.Layouts.SelectMany(layout => Gen.Int[-FixedPoint.MaxDifference, FixedPoint.MaxDifference].Array[layout.Count].Select(values => (layout, values)))).Sample(
            (kind, state) =>
            {
                var bytes = Bytes(kind, new StateVector(state.layout, [.. state.values]), out var written);
                Assert.Equal(new Hash256(SHA256.HashData(bytes)), written);
                Assert.Equal(StateFile.LengthOf(kind, state.layout), bytes.Length);
                var read = StateFile.Read(new MemoryStream(bytes), bytes.Length, kind, state.layout, out var digest);
                Assert.Equal(state.values, read.Values.ToArray());
                Assert.Equal(written, digest);
            },
            iter: 50);

    [Fact]
    public void Another_kind_another_layout_values_out_of_range_and_short_files_are_refused()
    {
        var bytes = Bytes(StateKind.Velocity, StateVector.Zero(Adapters.Small), out _);
        Assert.Contains("none of kind 'residual'", Refusal(bytes, StateKind.Residual, Adapters.Small), StringComparison.Ordinal);
        var wider = AdapterLayout.Create(new AdapterConfig(2, 4, ["q"]), [("l.q", 9, 9)]);
        Assert.Contains("the federation's 2 tensors with 36 values", Refusal(bytes, StateKind.Velocity, wider), StringComparison.Ordinal);
        Assert.Contains("file has only", Refusal(bytes[..20], StateKind.Velocity, Adapters.Small), StringComparison.Ordinal);
        BitConverter.TryWriteBytes(bytes.AsSpan(bytes.Length - 8), FixedPoint.MaxDifference + 1);
        Assert.Contains("Value 22 of the state is 16777215; expected at most ±16777214", Refusal(bytes, StateKind.Velocity, Adapters.Small), StringComparison.Ordinal);
        Assert.Contains("24 values; got 2", Assert.Throws<ArgumentException>(() => new StateVector(Adapters.Small, new int[2])).Message, StringComparison.Ordinal);
    }

    private static byte[] Bytes(StateKind kind, StateVector state, out Hash256 digest)
    {
        var stream = new MemoryStream();
        digest = StateFile.Write(stream, kind, state);
        Assert.Equal(digest, StateFile.Digest(kind, state));
        return stream.ToArray();
    }

    private static string Refusal(byte[] bytes, StateKind kind, AdapterLayout layout) =>
        Assert.Throws<InvalidDataException>(() => StateFile.Read(new MemoryStream(bytes), bytes.Length, kind, layout, out _)).Message;
}
