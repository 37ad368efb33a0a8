using System.CommandLine;
using System.Globalization;
using System.Numerics;

namespace FedChain.Node.Cli;

/// <summary>Bounds of options that take an integer.</summary>
internal static class OptionRange
{
    /// <summary>Refuses numbers outside of the bounds. What is no number, the parser itself refuses.</summary>
    public static Option<T> Within<T>(this Option<T> option, T from, T? to = null) where T : struct, IBinaryInteger<T>
    {
        option.Check(from, to);
        return option;
    }

    /// <inheritdoc cref="Within{T}(Option{T}, T, T?)"/>
    public static Option<T?> Within<T>(this Option<T?> option, T from, T? to = null) where T : struct, IBinaryInteger<T>
    {
        option.Check(from, to);
        return option;
    }

    private static void Check<T>(this Option option, T from, T? to) where T : struct, IBinaryInteger<T> => option.Validators.Add(result =>
    {
        foreach (var token in result.Tokens)
        {
            // The option's value can't be asked for: where the text is no number, that throws.
            if (T.TryParse(token.Value, NumberStyles.Integer, CultureInfo.InvariantCulture, out var value) && (value < from || value > to))
            {
                result.AddError($"{option.Name} takes a number {(to is null ? $"from {from} on" : $"from {from} to {to}")}; got {value}.");
            }
        }
    });
}
