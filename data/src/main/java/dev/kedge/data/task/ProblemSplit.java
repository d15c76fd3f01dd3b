package dev.kedge.data.task;

/// Which problems: every problem belongs to one part for good, by a hash of its prompt, whoever draws it and in which
/// order.
public enum ProblemSplit {
    /// About four problems of five.
    TRAIN,
    /// About one problem of five.
    HELD_OUT;

    private static final long FNV_OFFSET = 0xcbf29ce484222325L;
    private static final long FNV_PRIME = 0x100000001b3L;

    /// The part of a problem: FNV-1a of its prompt, mixed, modulo 5.
    public static ProblemSplit of(Problem problem) {
        long hash = FNV_OFFSET;
        for (int i = 0; i < problem.prompt().length(); i++) {
            hash = (hash ^ problem.prompt().charAt(i)) * FNV_PRIME;
        }
        hash = (hash ^ (hash >>> 32)) * 0xd6e8feb86659fd93L;
        hash ^= hash >>> 32;
        return Long.remainderUnsigned(hash, 5) == 0 ? HELD_OUT : TRAIN;
    }
}
