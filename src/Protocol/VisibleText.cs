using System.Globalization;
using System.Text;

namespace FedChain.Protocol;

/// <summary>
/// Text that a stranger wrote, such as a proposal's description or an applicant's name, made fit to be shown: what moves a terminal's cursor, turns the
/// reading direction or hides is written as <c>\u202e</c>, so that nothing can pass itself off as something else.
/// </summary>
public static class VisibleText
{
    /// <summary>On one line, between single quotes, which are escaped inside.</summary>
    public static string Quote(string text) => $"'{Escape(text, c => c is '\'' or '\\')}'";

    /// <summary>On one line.</summary>
    public static string Line(string text) => Escape(text, _ => false);

    /// <summary>Its lines, each fit to be shown.</summary>
    public static IEnumerable<string> Lines(string text) => text.Split('\n').Select(Line);

    private static string Escape(string text, Func<char, bool> quoted)
    {
        var shown = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            var length = char.IsSurrogatePair(text, i) ? 2 : 1;
            if (length == 1 && quoted(text[i]))
            {
                shown.Append('\\').Append(text[i]);
            }
            else if (IsHidden(CharUnicodeInfo.GetUnicodeCategory(text, i)))
            {
                for (var j = i; j < i + length; j++)
                {
                    shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)text[j]:x4}");
                }
            }
            else
            {
                shown.Append(text, i, length);
            }

            i += length - 1;
        }

        return shown.ToString();
    }

    private static bool IsHidden(UnicodeCategory category) => category is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
        or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned;
}
