"""Azure Resource Manager: private DNS, container groups, virtual networks, resource groups."""
