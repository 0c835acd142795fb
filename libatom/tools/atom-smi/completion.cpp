// SPDX-License-Identifier: MIT
#include "completion.hpp"

namespace smi {

namespace {

std::vector<std::string> options_of(const CLI::App &app)
{
	std::vector<std::string> out;
	for (const CLI::Option *option : app.get_options()) {
		for (const std::string &name : option->get_lnames())
			out.push_back("--" + name);
		for (const std::string &name : option->get_snames())
			out.push_back("-" + name);
	}
	return out;
}

std::string join(const std::vector<std::string> &words)
{
	std::string out;
	for (const std::string &word : words)
		out += (out.empty() ? "" : " ") + word;
	return out;
}

std::vector<const CLI::App *> commands_of(const CLI::App &app)
{
	return app.get_subcommands([](const CLI::App *) { return true; });
}

std::string bash_script(const CLI::App &app)
{
	std::string out = "_atom_smi()\n{\n"
			  "\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
			  "\tlocal words='' command='' i\n"
			  "\tif [[ $before == -d || $before == --device ]]; then\n"
			  "\t\twords=$(ls /dev/accel 2>/dev/null)\n"
			  "\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
			  "\t\treturn\n"
			  "\tfi\n"
			  "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
			  "\t\tcase ${COMP_WORDS[i]} in\n";
	std::string names;
	for (const CLI::App *command : commands_of(app)) {
		names += (names.empty() ? "" : " ") + command->get_name();
		out += "\t\t" + command->get_name() + ") command=" + command->get_name() +
		       " words='" + join(options_of(*command)) + "' ;;\n";
	}
	out += "\t\tesac\n\tdone\n"
	       "\t[[ $command ]] || words='" +
	       names +
	       "'\n"
	       "\twords+=' " +
	       join(options_of(app)) +
	       "'\n"
	       "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
	       "}\n"
	       "complete -F _atom_smi atom-smi\n";
	return out;
}

std::string zsh_script(const CLI::App &app)
{
	return "#compdef atom-smi\nautoload -U +X bashcompinit && bashcompinit\n" +
	       bash_script(app);
}

std::string fish_line(const std::string &condition, const CLI::Option &option)
{
	std::string out = "complete -c atom-smi -n '" + condition + "'";
	for (const std::string &name : option.get_lnames())
		out += " -l " + name;
	for (const std::string &name : option.get_snames())
		out += " -s " + name;
	return out + "\n";
}

std::string fish_script(const CLI::App &app)
{
	std::string out = "complete -c atom-smi -f\n"
			  "complete -c atom-smi -s d -l device -x -a '(ls /dev/accel 2>/dev/null)'\n";
	for (const CLI::Option *option : app.get_options())
		if (option->check_name("--device") == false)
			out += fish_line("true", *option);
	for (const CLI::App *command : commands_of(app)) {
		out += "complete -c atom-smi -n __fish_use_subcommand -a " + command->get_name() +
		       "\n";
		for (const CLI::Option *option : command->get_options())
			out += fish_line("__fish_seen_subcommand_from " + command->get_name(),
			                 *option);
	}
	return out;
}

} // namespace

std::string completion_script(const CLI::App &app, const std::string &shell)
{
	if (shell == "fish")
		return fish_script(app);
	return shell == "zsh" ? zsh_script(app) : bash_script(app);
}

} // namespace smi
