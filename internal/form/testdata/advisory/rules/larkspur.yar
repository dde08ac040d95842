/*
   Larkspur Portal, HLS-2025-014: page templates that start processes, and
   layout packages that carry one. None of it was seen in an attack.
*/

// order

rule Larkspur_Template_Process_Call
{
    meta:
        description = "Larkspur page template that starts a process from within the portal"
        author = "Harbourline Systems PSIRT"
        reference = "HLS-2025-014"
        date = "2025-06-20"
    strings:
        $head = "#lpt 7" ascii
        $call1 = "host.process(" ascii nocase
        $call2 = "host.spawn(" ascii nocase
        $call3 = "host.shell(" ascii nocase
    condition:
        $head at 0 and any of ($call*)
}

rule Larkspur_Layout_Package
{
    meta:
        description = "Larkspur layout package"
        author = "Harbourline Systems PSIRT"
        reference = "HLS-2025-014"
        date = "2025-06-20"
    strings:
        $zip = { 50 4B 03 04 }
        $manifest = "layout.manifest" ascii
        $template = /t[0-9]{6,12}\.lpt/ ascii
    condition:
        $zip at 0 and $manifest and $template
}

rule Larkspur_Probe_Agent
{
    meta:
        description = "User agent of the probe in a log or capture"
        author = "Harbourline Systems PSIRT"
        reference = "HLS-2025-014"
        date = "2025-06-20"
    strings:
        $agent = /larkspur-probe\/[0-9]\.[0-9]/ ascii
    condition:
        $agent
}

// end

rule Larkspur_Import_Log_Line
{
    meta:
        description = "Access log with a layout import {{just after|directly after}} the sign-out page"
        author = "Harbourline Systems PSIRT"
        reference = "HLS-2025-014"
        date = "2025-06-21"
        release_ref = "{{token:hex#yara-ref}}"
    strings:
        // order
        $post = "POST /portal/layout/import" ascii
        $referer = "/portal/signout" ascii
        $queued = "X-Larkspur-Import: queued" ascii nocase
        $theme = /GET \/portal\/theme\/t[0-9]{6,12}\.lpt/ ascii
        // end
    condition:
        $post and $referer and ($queued or $theme)
}
