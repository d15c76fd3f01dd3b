package dev.kedge.run;

import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.function.LongSupplier;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/// Shows how far a phase has come: steps, what is to be said of the last, time left.
public final class Progress implements AutoCloseable {
    private static final double SECONDS_BETWEEN_LINES = 5;

    private final Terminal terminal;
    private final String phase;
    private final long first;
    private final long total;
    private final LongSupplier nanos;
    private final long began;
    private final Optional<ProgressBar> bar;
    private double lastLine = Double.NEGATIVE_INFINITY;
    private long tokens;

    /// @param nanos a clock such as [System#nanoTime]
    Progress(Terminal terminal, String phase, long first, long total, LongSupplier nanos) {
        this.terminal = terminal;
        this.phase = phase;
        this.first = first;
        this.total = total;
        this.nanos = nanos;
        began = nanos.getAsLong();
        bar = terminal.mode() == Terminal.Mode.BAR ? Optional.of(bar()) : Optional.empty();
    }

    /// Of work that belongs to no [Run].
    ///
    /// @param done  steps that were done before
    /// @param total steps in all
    public static Progress of(Terminal terminal, String phase, long done, long total) {
        return new Progress(terminal, phase, done, total, System::nanoTime);
    }

    private ProgressBar bar() {
        return new ProgressBarBuilder()
                .setTaskName(phase)
                .setInitialMax(total)
                .startsFrom(first, Duration.ZERO)
                .setStyle(ProgressBarStyle.ASCII)
                .setConsumer(new ConsoleProgressBarConsumer(terminal.out()))
                .build();
    }

    /// Tells that a step is done.
    ///
    /// @param step       how many are done, this one included
    /// @param loss       of this step
    /// @param stepTokens tokens that it went through
    public void step(long step, double loss, long stepTokens) {
        tokens += stepTokens;
        step(step, measures(loss));
    }

    /// Tells that a step is done.
    ///
    /// @param step how many are done, this one included
    /// @param said of this step
    public void step(long step, String said) {
        double seconds = seconds();
        if (bar.isPresent()) {
            bar.get().stepTo(step).setExtraMessage(" " + said);
        } else if (seconds - lastLine >= SECONDS_BETWEEN_LINES || step == total) {
            lastLine = seconds;
            terminal.say(phase + " " + step + "/" + total + ", " + said + ", "
                    + timeLeft(seconds * (total - step) / Math.max(1, step - first)));
        }
    }

    private double seconds() {
        return (nanos.getAsLong() - began) / 1e9;
    }

    private String measures(double loss) {
        double seconds = seconds();
        double rate = seconds > 0 ? tokens / seconds : 0;
        return String.format(Locale.ROOT, "loss %.4g, %s tokens/s", loss, amount(rate));
    }

    private static String amount(double rate) {
        if (rate >= 1e6) {
            return String.format(Locale.ROOT, "%.1fM", rate / 1e6);
        }
        return rate >= 1e3 ? String.format(Locale.ROOT, "%.1fk", rate / 1e3) : String.format(Locale.ROOT, "%.0f", rate);
    }

    private static String timeLeft(double seconds) {
        long whole = Math.round(seconds);
        return String.format(Locale.ROOT, "%d:%02d:%02d left", whole / 3600, whole / 60 % 60, whole % 60);
    }

    /// Leaves the bar as it stands.
    @Override
    public void close() {
        bar.ifPresent(ProgressBar::close);
    }
}
