using System.Globalization;
using Microsoft.Data.Sqlite;

namespace FedChain.Node.Homes;

/// <summary>What a disk refuses, in words, with what to do about it.</summary>
internal static class DiskFault
{
    // errno, which .NET passes on as HResult, where Linux and macOS agree; 122 and 69 are EDQUOT.
    private const int AccessDenied = 13, InputOutput = 5, TooLarge = 27, Full = 28, ReadOnly = 30, QuotaLinux = 122, QuotaMac = 69;
    private const int WindowsFull = unchecked((int)0x80070070), WindowsHandleFull = unchecked((int)0x80070027), WindowsWriteProtected = unchecked((int)0x80070013);

    // https://sqlite.org/rescode.html
    private const int SqliteReadOnly = 8, SqliteInputOutput = 10, SqliteFull = 13, SqliteCantOpen = 14;

    /// <summary>Null if the failure is none of the disk's.</summary>
    public static string? Of(Exception e)
    {
        for (var cause = e; cause is not null; cause = cause.InnerException)
        {
            if (AdviceOn(cause) is { } advice)
            {
                return $"{e.Message.Replace(" (Parameter 'value')", "", StringComparison.Ordinal).TrimEnd('.')}. {advice}";
            }
        }

        return null;
    }

    public static IOException NoRoom(string folder, long free, long needed) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{folder} has {free:N0} bytes left, and {needed:N0} are needed"), Full);

    private static string? AdviceOn(Exception e) => e switch
    {
        IOException { HResult: Full or QuotaLinux or QuotaMac or WindowsFull or WindowsHandleFull } => Space,
        IOException when e.Message.Contains("disk was full", StringComparison.Ordinal) => Space, // where room was asked for beforehand there is no code
        // .NET makes of EFBIG a complaint about an argument that nobody gave.
        ArgumentOutOfRangeException { ParamName: "value" } when e.Message.Contains("file length was too large", StringComparison.Ordinal) => Larger,
        IOException { HResult: TooLarge } => Larger,
        IOException { HResult: ReadOnly or WindowsWriteProtected } => Writable,
        IOException { HResult: InputOutput } => "The disk fails: look into the system's log, and move the home to a sound one.",
        UnauthorizedAccessException or IOException { HResult: AccessDenied } => Writable,
        SqliteException { SqliteErrorCode: SqliteFull } => Space,
        SqliteException { SqliteErrorCode: SqliteReadOnly or SqliteCantOpen } => Writable,
        SqliteException { SqliteErrorCode: SqliteInputOutput } => "The disk is full, or fails. See how much room the home has, and the system's log.",
        _ => null,
    };

    private const string Larger = "Files may not grow that large here: raise the limit ('ulimit -f', LimitFSIZE= of a service) or move the home to another file system.";

    private const string Space = "The disk is full. What is there is unharmed; free some room and it goes on by itself. With the peer stopped, 'fedchain store gc' gives up what old rounds need no more.";

    private const string Writable = "The home must be writable for the user that runs the peer: see who owns it, and whether the file system is mounted read-only (a system does that by itself when a disk fails).";
}
