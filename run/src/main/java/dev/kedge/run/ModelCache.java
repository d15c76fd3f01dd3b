package dev.kedge.run;

import dev.kedge.config.ConfigFile;
import dev.kedge.tensor.Platform;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/// Where models lie that several runs start from, beside the runs: what says how one is made names its folder.
public final class ModelCache {
    private ModelCache() {}

    /// `models/HASH` beside the run. Other kernels make another model.
    ///
    /// @param config all that the model is made of
    /// @param more   what else it depends on, such as a seed
    public static Path folder(Run run, Record config, String more) {
        String text = ConfigFile.text("model", config) + Platform.here().kernelsInWords() + more;
        return run.folder().toAbsolutePath().getParent().resolve("models").resolve(hash(text));
    }

    private static String hash(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
