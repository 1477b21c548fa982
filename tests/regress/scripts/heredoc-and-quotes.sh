cat <<'END' > run.sh
qemu-system-x86_64 -this is not a command
END
NAME="it's"
qemu-system-x86_64 -M q35 -m 256 -nographic -name "$NAME" -append "a='b c' \"q\" \$x" -kernel vmlinuz
