import Glibc

exit(run(CommandLine.argc, CommandLine.unsafeArgv))
