using CsCheck;
using FedChain.Protocol.Files;
using FedChain.Protocol.Numerics;

namespace FedChain.Protocol.Tests.Files;

public sealed class ErrorFeedbackTests
{
    private static readonly Adapter Start = Adapter.First(Adapters.Small, Hash256.Zero, 20);

    [Fact]
    public void Every_encoding_holds_a_tensors_largest_value_and_the_others_to_half_a_unit_of_its_shift() =>
        Gen.Select(Gen.Enum<UpdateEncoding>(), Wanted).Sample((encoding, wanted) =>
        {
            var zero = new Adapter(Adapters.Small, 20, new int[Adapters.Small.Count]);
            var encoded = EncodedDifferences.Nearest(encoding, zero, Factors.Both, wanted);
            foreach (var (tensor, shift) in Adapters.Small.Tensors.Zip(encoded.Shifts))
            {
                var unit = 1 << shift;
                foreach (var i in Enumerable.Range(tensor.Offset, tensor.Count))
                {
                    var (value, limited) = (encoded.Values[i], FixedPoint.Clamp(wanted[i]));
                    Assert.Equal(0, value % unit);
                    Assert.InRange(Math.Abs(value / unit), 0, encoding.MaxCode());
                    Assert.InRange(Math.Abs((long)value - limited), 0, Math.Abs(limited) > FixedPoint.MaxValue - unit ? unit : unit / 2);
                }

                var most = Enumerable.Range(tensor.Offset, tensor.Count).Max(i => Math.Abs(FixedPoint.Clamp(wanted[i])));
                Assert.InRange(shift, 0, encoding.MaxShift());
                Assert.True(shift == 0 || Math.Round(most / (unit / 2.0), MidpointRounding.ToEven) > encoding.MaxCode(), "a smaller shift would have done");
            }
        });

    [Fact]
    public void Base_and_difference_together_never_leave_the_adapters_range() =>
        Gen.Select(Gen.Enum<UpdateEncoding>(), Wanted, Gen.OneOf(Gen.Int[-FixedPoint.MaxValue, FixedPoint.MaxValue], Gen.Const(FixedPoint.MaxValue), Gen.Const(-FixedPoint.MaxValue)).Array[Adapters.Small.Count])
            .Sample((encoding, wanted, values) =>
            {
                var encoded = EncodedDifferences.Nearest(encoding, new Adapter(Adapters.Small, 20, [.. values]), Factors.Both, wanted);
                Assert.All(Enumerable.Range(0, values.Length), i => Assert.InRange(values[i] + encoded.Values[i], -FixedPoint.MaxValue, FixedPoint.MaxValue));
                Assert.All(encoded.Values.ToArray(), d => Assert.InRange(d, -FixedPoint.MaxDifference, FixedPoint.MaxDifference));
                UpdateFile.Write(Stream.Null, Adapters.Metadata, encoded);
            });

    [Fact]
    public void By_hand_a_tensor_of_1000_is_carried_in_steps_of_eight()
    {
        int[] differences = [1000, 3, 4, 5, 12, -12, 0, 0, 0, 0, 0, 0, .. new int[12]];
        var (update, residual) = ErrorFeedback.Encode(UpdateEncoding.Int8, Start, Factors.Both, differences, StateVector.Zero(Adapters.Small));
        Assert.Equal([3, 0, 0, 0], update.Shifts);
        Assert.Equal([1000, 0, 0, 8, 16, -16], update.Values[..6].ToArray()); // 4 / 8 and 12 / 8 go to the even neighbour
        Assert.Equal([0, 3, 4, -3, -4, 4], residual.Values[..6].ToArray());
        (update, residual) = ErrorFeedback.Encode(UpdateEncoding.Int8, Start, Factors.Both, differences, residual);
        Assert.Equal([1000, 8, 8, 0, 8, -8], update.Values[..6].ToArray());
        Assert.Equal([0, -2, 0, 2, 0, 0], residual.Values[..6].ToArray());
    }

    [Fact]
    public void Over_the_rounds_nothing_is_lost() =>
        Gen.Select(Gen.Enum<UpdateEncoding>(), Gen.Int[-40_000, 40_000].Array[Adapters.Small.Count].Array[1, 12]).Sample((encoding, rounds) =>
        {
            var (residual, carried, wanted) = (StateVector.Zero(Adapters.Small), new long[Adapters.Small.Count], new long[Adapters.Small.Count]);
            foreach (var differences in rounds)
            {
                (var update, residual) = ErrorFeedback.Encode(encoding, Start, Factors.Both, differences, residual);
                for (var i = 0; i < wanted.Length; i++)
                {
                    wanted[i] += differences[i];
                    carried[i] += update.Values[i];
                    Assert.Equal(wanted[i], carried[i] + residual.Values[i]);
                }
            }

            Assert.True(encoding != UpdateEncoding.Int32 || residual.Values.IndexOfAnyExcept(0) < 0);
        });

    [Fact]
    public void The_other_factors_residual_waits_for_its_round()
    {
        var residual = new StateVector(Adapters.Small, [.. Enumerable.Range(1, Adapters.Small.Count)]);
        var (update, next) = ErrorFeedback.Encode(UpdateEncoding.Int8, Start, Factors.B, new int[Adapters.Small.CountOf(Factors.B)], residual);
        Assert.Equal(residual.Of(Factors.A), next.Of(Factors.A));
        Assert.Equal(residual.Of(Factors.B), update.Values.ToArray());
        Assert.All(next.Of(Factors.B), r => Assert.Equal(0, r));
    }

    [Fact]
    public void Differences_of_another_number_are_misuse()
    {
        Assert.Contains("24 values; got 23", Assert.Throws<ArgumentException>(() => ErrorFeedback.Encode(UpdateEncoding.Int8, Start, Factors.Both, new int[23], StateVector.Zero(Adapters.Small))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => EncodedDifferences.Nearest(UpdateEncoding.Int8, Start, Factors.Both, new int[23]));
        Assert.Throws<ArgumentException>(() => EncodedDifferences.Nearest(UpdateEncoding.Int8, Start, Factors.None, []));
    }

    /// <summary>Within what trained - base + residual can be.</summary>
    private static Gen<int[]> Wanted => Gen.OneOf(Gen.Int[-2 * FixedPoint.MaxDifference, 2 * FixedPoint.MaxDifference], Gen.Int[-300, 300], Gen.Const(0))
        .Array[Adapters.Small.Count];
}
