// The versions of foreign symbols that a shared library asks for, in its section .gnu.version_r:
//   Verneed  { u16 version, u16 count, u32 file, u32 aux, u32 next }           one per needed library
//   Vernaux  { u32 hash, u16 flags, u16 other, u32 name, u32 next }            one per needed version of it
// A version whose flags hold VER_FLG_WEAK (2) may be missing at load time. `other` is the index by which .gnu.version ties dynamic symbols to it.
// Source: Linux Standard Base Core 5.0, 10.7 "Symbol Versioning"; System V gABI (ELF-64, little-endian).
using System.Buffers.Binary;
using System.Text;

namespace FedChain.Learning.Native;

internal static class ElfVersionNeeds
{
    private const uint DynamicSymbols = 11;
    private const uint GnuVersionSymbols = 0x6fffffff;
    private const uint GnuVersionNeeds = 0x6ffffffe;
    private const ushort WeakFlag = 2;

    private readonly record struct Section(uint Type, int Offset, int Size, int Link);

    private readonly record struct Need(int FlagsAt, ushort Index);

    /// <summary>Marks the need for <paramref name="version"/> as weak, in place. False if the library doesn't ask for it.</summary>
    /// <exception cref="InvalidDataException">Not a little-endian ELF-64 file, or cut short.</exception>
    public static bool MarkWeak(Span<byte> elf, string version)
    {
        if (Find(elf, Sections(elf), version) is not { } need)
        {
            return false;
        }

        var flags = elf.Slice(need.FlagsAt, sizeof(ushort));
        BinaryPrimitives.WriteUInt16LittleEndian(flags, (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(flags) | WeakFlag));
        return true;
    }

    /// <summary>The dynamic symbols that ask for <paramref name="version"/>: what is lost when it is weak and missing.</summary>
    /// <exception cref="InvalidDataException">Not a little-endian ELF-64 file, or cut short.</exception>
    public static IReadOnlyList<string> SymbolsOf(ReadOnlySpan<byte> elf, string version)
    {
        const int SymbolSize = 24;
        var sections = Sections(elf);
        if (Find(elf, sections, version) is not { } need)
        {
            return [];
        }

        var symbols = sections.First(s => s.Type == DynamicSymbols);
        var versions = sections.First(s => s.Type == GnuVersionSymbols);
        var names = new List<string>();
        for (var i = 0; i < versions.Size / sizeof(ushort); i++)
        {
            if ((U16(elf, versions.Offset + (i * sizeof(ushort))) & 0x7fff) == need.Index)
            {
                names.Add(Name(elf, sections[symbols.Link].Offset + U31(elf, symbols.Offset + (i * SymbolSize))));
            }
        }

        return names;
    }

    private static Need? Find(ReadOnlySpan<byte> elf, Section[] sections, string version)
    {
        foreach (var section in sections.Where(s => s.Type == GnuVersionNeeds))
        {
            var strings = sections[section.Link].Offset;
            for (int library = section.Offset, next = -1; next != 0; library += next)
            {
                next = U31(elf, library + 12);
                var aux = library + U31(elf, library + 8);
                for (var remaining = U16(elf, library + 2); remaining > 0; remaining--, aux += U31(elf, aux + 12))
                {
                    if (Name(elf, strings + U31(elf, aux + 8)) == version)
                    {
                        return new Need(aux + 4, U16(elf, aux + 6));
                    }
                }
            }
        }

        return null;
    }

    private static Section[] Sections(ReadOnlySpan<byte> elf)
    {
        if (elf.Length < 64 || !elf[..6].SequenceEqual((ReadOnlySpan<byte>)[0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1]))
        {
            throw new InvalidDataException("Expected a little-endian ELF-64 shared library.");
        }

        var table = U63(elf, 0x28);
        int size = U16(elf, 0x3A), count = U16(elf, 0x3C);
        var sections = new Section[count];
        for (var i = 0; i < count; i++)
        {
            var at = table + (i * size);
            sections[i] = new Section((uint)U31(elf, at + 4), U63(elf, at + 24), U63(elf, at + 32), U31(elf, at + 40));
        }

        return sections;
    }

    private static string Name(ReadOnlySpan<byte> elf, int at)
    {
        var rest = Slice(elf, at, 0, toEnd: true);
        var end = rest.IndexOf((byte)0);
        return end < 0 ? throw Cut(at) : Encoding.ASCII.GetString(rest[..end]);
    }

    private static ushort U16(ReadOnlySpan<byte> elf, int at) => BinaryPrimitives.ReadUInt16LittleEndian(Slice(elf, at, sizeof(ushort)));

    private static int U31(ReadOnlySpan<byte> elf, int at) => BinaryPrimitives.ReadInt32LittleEndian(Slice(elf, at, sizeof(int)));

    private static int U63(ReadOnlySpan<byte> elf, int at)
    {
        var value = BinaryPrimitives.ReadUInt64LittleEndian(Slice(elf, at, sizeof(ulong)));
        return value > int.MaxValue ? throw Cut(at) : (int)value;
    }

    private static ReadOnlySpan<byte> Slice(ReadOnlySpan<byte> elf, int at, int length, bool toEnd = false) =>
        at < 0 || at > elf.Length - length ? throw Cut(at) : toEnd ? elf[at..] : elf.Slice(at, length);

    private static InvalidDataException Cut(int at) => new($"The ELF file is cut short or points outside itself (offset {at}).");
}
