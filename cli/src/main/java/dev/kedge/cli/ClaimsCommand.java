package dev.kedge.cli;

import dev.kedge.lab.claim.ClaimsDocument;
import dev.kedge.lab.report.Page;
import dev.kedge.reproduction.Claims;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/// Writes what was recorded of all claims.
@Command(
        name = "claims",
        description = "Write docs/claims.md from the results that kedge reproduce --record kept in docs/claims.",
        mixinStandardHelpOptions = true)
final class ClaimsCommand implements Callable<Integer> {
    @Override
    public Integer call() {
        Path document = Installation.docs().resolve("claims.md");
        Page.write(document, text());
        System.out.println(document);
        return 0;
    }

    /// What the document should be.
    static String text() {
        return ClaimsDocument.markdown(ClaimsDocument.folder(Installation.docs()), Claims.PAPERS, Claims::of);
    }
}
