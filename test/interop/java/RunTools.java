// Runs the mains of Apache Kafka's tools one after the other in one JVM, since each start of one costs more than what the tool does.
// Reads a call a line on stdin, its fields with tabs between them: what to wait for ("" for nothing), what the tool reads on its stdin, the class, its
// arguments; "\n" stands for a line's end. Prints what the tools print, stdout and stderr together, and a line "exit CODE" after each.
// Invariant: a call leaves nothing behind: what it would do at the JVM's end is done at its own.
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.kafka.common.utils.Exit;

public class RunTools {
    private static final long WAIT_MS = 20_000;
    private static final PrintStream STDOUT = System.out;
    private static final ByteArrayOutputStream PRINTED = new ByteArrayOutputStream();
    private static final List<Runnable> ATEND = new ArrayList<>();
    /** The exit code that a call asked for first: some tools catch everything, our end included, and ask again. */
    private static Integer firstCode = null;

    /** Not an Exception, which tools catch. */
    private static final class Ended extends Error {
        Ended(int code) {
            super("ended with " + code, null, false, false);
        }
    }

    public static void main(String[] args) throws Exception {
        PrintStream both = new PrintStream(new OutputStream() {
            @Override
            public synchronized void write(int one) {
                PRINTED.write(one);
                STDOUT.write(one);
            }

            @Override
            public synchronized void write(byte[] bytes, int from, int count) {
                PRINTED.write(bytes, from, count);
                STDOUT.write(bytes, from, count);
            }

            @Override
            public void flush() {
                STDOUT.flush();
            }
        }, true, StandardCharsets.UTF_8);
        BufferedReader calls = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        System.setOut(both);
        System.setErr(both);
        Exit.setExitProcedure((code, message) -> end(code));
        Exit.setHaltProcedure((code, message) -> end(code));
        Exit.setShutdownHookAdder((name, runnable) -> ATEND.add(runnable));
        for (String call = calls.readLine(); call != null; call = calls.readLine()) {
            int code = run(call.split("\t", -1));
            both.println();
            both.println("exit " + code);
        }
        both.flush();
        Runtime.getRuntime().halt(0);
    }

    private static void end(int code) {
        if (firstCode == null) firstCode = code;
        throw new Ended(code);
    }

    private static int run(String[] fields) throws Exception {
        PRINTED.reset();
        firstCode = null;
        System.setIn(new ByteArrayInputStream(fields[1].replace("\\n", "\n").getBytes(StandardCharsets.UTF_8)));
        int code = 0;
        try {
            Class.forName(fields[2]).getMethod("main", String[].class).invoke(null, (Object) Arrays.copyOfRange(fields, 3, fields.length));
            await(fields[0]);
        } catch (InvocationTargetException thrown) {
            if (!(thrown.getCause() instanceof Ended)) {
                System.out.println("threw " + thrown.getCause());
                code = -1;
            }
        }
        if (firstCode != null) code = firstCode;
        for (Runnable last : ATEND) last.run();
        ATEND.clear();
        return code;
    }

    private static void await(String text) throws InterruptedException, IOException {
        long deadline = System.currentTimeMillis() + WAIT_MS;
        while (!PRINTED.toString(StandardCharsets.UTF_8).contains(text)) {
            if (System.currentTimeMillis() > deadline) throw new IOException("\"" + text + "\" was not printed within " + WAIT_MS + " ms");
            Thread.sleep(20);
        }
    }
}
